CREATE TABLE `grant_targets` (
	`grant_id` text NOT NULL,
	`connector` text NOT NULL,
	`place` text,
	`state` text NOT NULL,
	`over_since` integer,
	PRIMARY KEY(`grant_id`, `connector`),
	FOREIGN KEY (`grant_id`) REFERENCES `grants`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `grant_targets_by_connector` ON `grant_targets` (`connector`,`over_since`,`grant_id`);--> statement-breakpoint
CREATE INDEX `grant_targets_over` ON `grant_targets` (`over_since`,`state`) WHERE over_since IS NOT NULL;--> statement-breakpoint
DROP INDEX `grants_request_id_unique`;--> statement-breakpoint
DROP INDEX `grants_due`;--> statement-breakpoint
CREATE INDEX `grants_due` ON `grants` (`expires_at`,`phase`) WHERE phase IN ('PREPARING', 'ACTIVE');--> statement-breakpoint
ALTER TABLE `requests` ADD `grant_id` text;--> statement-breakpoint
-- Requests of the version before know their grant only in their value.
UPDATE `requests` SET `grant_id` = json_extract(`value`, '$.grantId');
