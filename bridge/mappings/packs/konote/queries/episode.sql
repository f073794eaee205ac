-- konote/episode: one record for each time a client was taken into a program.
-- enrolled_at is when somebody typed; only started_at says when the service began.
-- Left behind: reasons for a status, the consent to aggregate reporting (it releases nothing to a practice).
WITH worker AS (
    SELECT json->>'id' AS id, json->>'display_name' AS name
    FROM read_json_objects(getvariable('folder') || '/data/auth_app_user.json', format = 'array')
),
program AS (
    SELECT json->>'id' AS id, json->>'name' AS name, (json->>'is_confidential')::BOOLEAN AS confidential
    FROM read_json_objects(getvariable('folder') || '/data/programs_program.json', format = 'array')
)
SELECT json_object(
    'id', e.json->>'id',
    'client', e.json->>'client_file_id',
    'status', e.json->>'status',
    'type', e.json->>'episode_type',
    'program', p.name,
    'confidential', coalesce(p.confidential, false),
    'worker', w.name,
    'referral_source', e.json->>'referral_source',
    'started', e.json->>'started_at',
    'ended', e.json->>'ended_at',
    'end_reason', e.json->>'end_reason'
) AS record
FROM read_json_objects(getvariable('folder') || '/data/clients_serviceepisode.json', format = 'array') AS e
LEFT JOIN worker AS w ON w.id = e.json->>'primary_worker_id'
LEFT JOIN program AS p ON p.id = e.json->>'program_id'
ORDER BY (e.json->>'id')::BIGINT
