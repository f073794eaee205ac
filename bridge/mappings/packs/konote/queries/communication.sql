-- konote/communication: one record for each logged call, message or short meeting.
-- KoNote keeps no time at which it took place, only created_at, when it was logged: `happened` is never filled here,
-- and the mapping holds such a record until a person says when it was.
-- Left behind: delivery messages (they quote carriers and mailboxes), external ids.
WITH author AS (
    SELECT json->>'id' AS id, json->>'display_name' AS name
    FROM read_json_objects(getvariable('folder') || '/data/auth_app_user.json', format = 'array')
),
program AS (
    SELECT json->>'id' AS id, (json->>'is_confidential')::BOOLEAN AS confidential
    FROM read_json_objects(getvariable('folder') || '/data/programs_program.json', format = 'array')
)
SELECT json_object(
    'id', c.json->>'id',
    'client', c.json->>'client_file_id',
    'direction', c.json->>'direction',
    'channel', c.json->>'channel',
    'method', c.json->>'method',
    'outcome', c.json->>'outcome',
    'delivery', c.json->>'delivery_status',
    'author', a.name,
    'confidential', coalesce(p.confidential, false),
    'subject', c.json->>'subject',
    'text', c.json->>'content',
    'created_at', c.json->>'created_at'
) AS record
FROM read_json_objects(getvariable('folder') || '/data/communications_communication.json', format = 'array') AS c
LEFT JOIN author AS a ON a.id = c.json->>'logged_by_id'
LEFT JOIN program AS p ON p.id = c.json->>'author_program_id'
ORDER BY (c.json->>'id')::BIGINT
