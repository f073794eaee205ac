-- konote/note: one record for each progress note, with what was noted and measured for each goal.
-- `happened` is when the contact took place: the time it began, else the date the worker set. created_at only says when
-- somebody typed, so it is passed on under its own name and never as the time of a contact.
-- A metric and the answer chosen from a metric's list are passed on as codes made of their names ('phq-9-depression'),
-- which the tables metric and choice know.
-- Left behind: the participant's suggestions about the program, ratings of worker and engagement, metrics about the
-- program itself (client_experience), passwords and everything else of the users but their names.
WITH author AS (
    SELECT json->>'id' AS id, json->>'display_name' AS name
    FROM read_json_objects(getvariable('folder') || '/data/auth_app_user.json', format = 'array')
),
program AS (
    SELECT json->>'id' AS id, (json->>'is_confidential')::BOOLEAN AS confidential
    FROM read_json_objects(getvariable('folder') || '/data/programs_program.json', format = 'array')
),
metric AS (
    SELECT json->>'id' AS id, json->>'unit' AS unit, json->>'category' AS category, json->>'metric_type' AS type,
        left(trim(lower(regexp_replace(json->>'name', '[^A-Za-z0-9]+', '-', 'g')), '-'), 64) AS code
    FROM read_json_objects(getvariable('folder') || '/data/plans_metricdefinition.json', format = 'array')
),
measured AS (
    SELECT
        v.json->>'progress_note_target_id' AS target,
        (v.json->>'id')::BIGINT AS place,
        CASE
            WHEN m.category = 'substance_use' THEN 'substance'
            WHEN m.category = 'housing' THEN 'home'
            WHEN m.type = 'scale' THEN 'score'
            WHEN m.type = 'achievement' THEN 'choice'
            ELSE 'answer'
        END AS sort,
        m.id IS NULL OR (m.type = 'scale' AND NOT regexp_full_match(v.json->>'value', '-?[0-9]+(\.[0-9]+)?'))
            AS unreadable,
        json_object(
            'id', v.json->>'id',
            'metric', m.code,
            'unit', CASE WHEN m.type = 'scale' THEN m.unit END,
            'number', CASE WHEN m.type = 'scale' THEN try_cast(v.json->>'value' AS JSON) END,
            'choice', CASE WHEN m.type = 'achievement' THEN
                left(trim(lower(regexp_replace(v.json->>'value', '[^A-Za-z0-9]+', '-', 'g')), '-'), 64) END,
            'words', CASE WHEN m.type = 'open_text' THEN v.json->>'value' END
        ) AS item
    FROM read_json_objects(getvariable('folder') || '/data/notes_metricvalue.json', format = 'array') AS v
    LEFT JOIN metric AS m ON m.id = v.json->>'metric_def_id'
    WHERE v.json->>'value' <> '' AND coalesce(m.category, '') <> 'client_experience'
),
measures AS (
    SELECT
        target,
        list(item ORDER BY place) FILTER (sort = 'score' AND NOT unreadable) AS scores,
        list(item ORDER BY place) FILTER (sort = 'choice') AS choices,
        list(item ORDER BY place) FILTER (sort = 'answer' AND NOT unreadable) AS answers,
        list(item ORDER BY place) FILTER (sort = 'home' AND NOT unreadable) AS home,
        list(item ORDER BY place) FILTER (sort = 'substance' AND NOT unreadable) AS substance,
        count(*) FILTER (unreadable) AS unreadable
    FROM measured
    GROUP BY target
),
goal AS (
    SELECT json->>'id' AS id, json->>'name' AS name
    FROM read_json_objects(getvariable('folder') || '/data/plans_plantarget.json', format = 'array')
),
progress AS (
    SELECT
        t.json->>'progress_note_id' AS note,
        list(
            json_object(
                'id', t.json->>'id',
                'goal', t.json->>'plan_target_id',
                'goal_name', g.name,
                'progress', t.json->>'progress_descriptor',
                'text', t.json->>'notes',
                'client_words', t.json->>'client_words',
                'scores', s.scores,
                'choices', s.choices,
                'answers', s.answers,
                'home', s.home,
                'substance', s.substance
            ) ORDER BY (t.json->>'id')::BIGINT
        ) AS goals,
        sum(coalesce(s.unreadable, 0))::BIGINT AS unreadable
    FROM read_json_objects(getvariable('folder') || '/data/notes_progressnotetarget.json', format = 'array') AS t
    LEFT JOIN goal AS g ON g.id = t.json->>'plan_target_id'
    LEFT JOIN measures AS s ON s.target = t.json->>'id'
    GROUP BY t.json->>'progress_note_id'
)
SELECT json_object(
    'id', n.json->>'id',
    'client', n.json->>'client_file_id',
    'status', n.json->>'status',
    'type', n.json->>'note_type',
    'interaction', n.json->>'interaction_type',
    'modality', n.json->>'modality',
    'outcome', n.json->>'outcome',
    'circle', n.json->>'circle_id',
    'happened', coalesce(n.json->>'begin_timestamp', n.json->>'backdate'),
    'duration_minutes', (n.json->>'duration_minutes')::INTEGER,
    'author', a.name,
    'confidential', coalesce(p.confidential, false),
    'text', n.json->>'notes_text',
    'summary', n.json->>'summary',
    'reflection', n.json->>'participant_reflection',
    'goals', coalesce(r.goals, []),
    'unreadable_scores', coalesce(r.unreadable, 0),
    'created_at', n.json->>'created_at',
    'updated_at', n.json->>'updated_at'
) AS record
FROM read_json_objects(getvariable('folder') || '/data/notes_progressnote.json', format = 'array') AS n
LEFT JOIN author AS a ON a.id = n.json->>'author_id'
LEFT JOIN program AS p ON p.id = n.json->>'author_program_id'
LEFT JOIN progress AS r ON r.note = n.json->>'id'
ORDER BY (n.json->>'id')::BIGINT
