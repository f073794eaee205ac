-- konote/client: one record for each client of a KoNote agency export (the folder that holds data/ and config/).
-- Only who the person is. Left behind: phone and email, the agency's own consent fields (they release nothing to a
-- practice), is_dv_safe (it marks danger), custom fields.
SELECT json_object(
    'id', json->>'id',
    'status', json->>'status',
    'anonymised', coalesce((json->>'is_anonymised')::BOOLEAN, false),
    'first_name', json->>'first_name',
    'middle_name', json->>'middle_name',
    'last_name', json->>'last_name',
    'birth_date', json->>'birth_date',
    'language', json->>'preferred_language',
    'updated_at', json->>'updated_at'
) AS record
FROM read_json_objects(getvariable('folder') || '/data/clients_clientfile.json', format = 'array')
ORDER BY (json->>'id')::BIGINT
