CREATE TABLE `clock_mark` (
	`id` text PRIMARY KEY NOT NULL,
	`at` integer NOT NULL
);

--> statement-breakpoint
INSERT INTO `clock_mark` (`id`, `at`)
SELECT 'clock', CAST(round(unixepoch(json_extract(`body`, '$.at'), 'subsec') * 1000) AS INTEGER)
FROM `audit_events`
WHERE `seq` = (SELECT max(`seq`) FROM `audit_events`)
	AND json_valid(`body`)
	AND unixepoch(json_extract(`body`, '$.at')) IS NOT NULL;
