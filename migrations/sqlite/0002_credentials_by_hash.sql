-- WITHOUT ROWID is written by hand: rows in the order of their hashes, so that a check finds its row at once.
CREATE TABLE `__new_credentials` (
	`id` text NOT NULL,
	`grant_id` text NOT NULL,
	`hash` text PRIMARY KEY NOT NULL,
	`current` integer NOT NULL,
	`first_used_at` integer,
	`value` text NOT NULL,
	FOREIGN KEY (`grant_id`) REFERENCES `grants`(`id`) ON UPDATE no action ON DELETE no action
) WITHOUT ROWID;
--> statement-breakpoint
INSERT INTO `__new_credentials`("id", "grant_id", "hash", "current", "first_used_at", "value") SELECT "id", "grant_id", "hash", "current", "first_used_at", "value" FROM `credentials`;--> statement-breakpoint
DROP TABLE `credentials`;--> statement-breakpoint
ALTER TABLE `__new_credentials` RENAME TO `credentials`;--> statement-breakpoint
CREATE UNIQUE INDEX `credentials_id_unique` ON `credentials` (`id`);--> statement-breakpoint
CREATE INDEX `credentials_by_grant` ON `credentials` (`grant_id`);
