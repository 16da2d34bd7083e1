-- By hand, as 0002: grants keep the order they were made in, and a credential finds its grant by number.
CREATE TABLE `__new_grants` (
	`ord` integer PRIMARY KEY NOT NULL,
	`id` text NOT NULL,
	`version` integer NOT NULL,
	`request_id` text NOT NULL,
	`subject_id` text NOT NULL,
	`phase` text NOT NULL,
	`expires_at` integer NOT NULL,
	`value` text NOT NULL,
	FOREIGN KEY (`request_id`) REFERENCES `requests`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
INSERT INTO `__new_grants`("ord", "id", "version", "request_id", "subject_id", "phase", "expires_at", "value") SELECT rowid, "id", "version", "request_id", "subject_id", "phase", "expires_at", "value" FROM `grants` ORDER BY rowid;--> statement-breakpoint
DROP TABLE `grants`;--> statement-breakpoint
ALTER TABLE `__new_grants` RENAME TO `grants`;--> statement-breakpoint
CREATE UNIQUE INDEX `grants_id_unique` ON `grants` (`id`);--> statement-breakpoint
CREATE INDEX `grants_due` ON `grants` (`expires_at`,`phase`) WHERE phase IN ('PREPARING', 'ACTIVE');--> statement-breakpoint
CREATE TABLE `__new_credentials` (
	`id` text NOT NULL,
	`grant_ord` integer NOT NULL,
	`hash` text PRIMARY KEY NOT NULL,
	`current` integer NOT NULL,
	`first_used_at` integer,
	`value` text NOT NULL,
	FOREIGN KEY (`grant_ord`) REFERENCES `grants`(`ord`) ON UPDATE no action ON DELETE no action
) WITHOUT ROWID;
--> statement-breakpoint
INSERT INTO `__new_credentials`("id", "grant_ord", "hash", "current", "first_used_at", "value") SELECT c."id", (SELECT g."ord" FROM `grants` g WHERE g."id" = c."grant_id"), c."hash", c."current", c."first_used_at", c."value" FROM `credentials` c;--> statement-breakpoint
DROP TABLE `credentials`;--> statement-breakpoint
ALTER TABLE `__new_credentials` RENAME TO `credentials`;--> statement-breakpoint
CREATE UNIQUE INDEX `credentials_id_unique` ON `credentials` (`id`);--> statement-breakpoint
CREATE INDEX `credentials_by_grant` ON `credentials` (`grant_ord`);
