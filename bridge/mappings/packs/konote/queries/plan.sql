-- konote/plan: one record for each client who has a plan: its sections and goals as they stand now.
-- `words` is what the client said they want, kept letter by letter; `name` and `description` are the worker's.
-- A goal's revisions carry no client words (KoNote leaves them empty there), so only the latest one's time and author
-- are taken. Left behind: reasons for a status, metric assignments, reporting fields.
WITH program AS (
    SELECT json->>'id' AS id, (json->>'is_confidential')::BOOLEAN AS confidential
    FROM read_json_objects(getvariable('folder') || '/data/programs_program.json', format = 'array')
),
author AS (
    SELECT json->>'id' AS id, json->>'display_name' AS name
    FROM read_json_objects(getvariable('folder') || '/data/auth_app_user.json', format = 'array')
),
revision AS (
    SELECT
        json->>'plan_target_id' AS goal,
        max(json->>'created_at') AS revised_at,
        arg_max(json->>'changed_by_id', json->>'created_at') AS by_id
    FROM read_json_objects(getvariable('folder') || '/data/plans_plantargetrevision.json', format = 'array')
    GROUP BY json->>'plan_target_id'
),
goals AS (
    SELECT
        t.json->>'plan_section_id' AS section,
        max(t.json->>'updated_at') AS updated_at,
        list(
            json_object(
                'id', t.json->>'id',
                'status', t.json->>'status',
                'achievement', t.json->>'achievement_status',
                'target_date', t.json->>'target_date',
                'words', t.json->>'client_goal',
                'name', t.json->>'name',
                'description', t.json->>'description',
                'revised_at', v.revised_at,
                'revised_by', a.name
            ) ORDER BY (t.json->>'sort_order')::INTEGER, (t.json->>'id')::BIGINT
        ) AS items
    FROM read_json_objects(getvariable('folder') || '/data/plans_plantarget.json', format = 'array') AS t
    LEFT JOIN revision AS v ON v.goal = t.json->>'id'
    LEFT JOIN author AS a ON a.id = v.by_id
    GROUP BY t.json->>'plan_section_id'
),
sections AS (
    SELECT
        s.json->>'client_file_id' AS client,
        greatest(max(s.json->>'updated_at'), max(g.updated_at)) AS updated_at,
        bool_or(coalesce(p.confidential, false)) AS confidential,
        list(
            json_object(
                'id', s.json->>'id',
                'name', s.json->>'name',
                'status', s.json->>'status',
                'goals', coalesce(g.items, [])
            ) ORDER BY (s.json->>'sort_order')::INTEGER, (s.json->>'id')::BIGINT
        ) AS items
    FROM read_json_objects(getvariable('folder') || '/data/plans_plansection.json', format = 'array') AS s
    LEFT JOIN program AS p ON p.id = s.json->>'program_id'
    LEFT JOIN goals AS g ON g.section = s.json->>'id'
    GROUP BY s.json->>'client_file_id'
)
SELECT json_object(
    'id', client,
    'client', client,
    'confidential', confidential,
    'sections', items,
    'updated_at', updated_at
) AS record
FROM sections
ORDER BY client::BIGINT
