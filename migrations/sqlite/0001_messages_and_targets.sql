-- Messages of the version before said their words themselves; nothing but the log was told then.
DELETE FROM `outbox` WHERE json_extract(`effect`, '$.kind') = 'notify';--> statement-breakpoint
CREATE TABLE `copies` (
	`ord` integer PRIMARY KEY NOT NULL,
	`id` text NOT NULL,
	`request_id` text NOT NULL,
	`surface` text NOT NULL,
	`address` text NOT NULL,
	`audience` text NOT NULL,
	`reader_id` text,
	`state` text NOT NULL,
	`ref` text,
	`fault` text,
	`at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `copies_id_unique` ON `copies` (`id`);--> statement-breakpoint
CREATE INDEX `copies_by_request` ON `copies` (`request_id`);--> statement-breakpoint
CREATE TABLE `cursors` (
	`name` text PRIMARY KEY NOT NULL,
	`value` text NOT NULL
);
--> statement-breakpoint
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
CREATE TABLE `surface_addresses` (
	`surface` text NOT NULL,
	`key` text NOT NULL,
	`value` text NOT NULL,
	PRIMARY KEY(`surface`, `key`)
);
--> statement-breakpoint
DROP INDEX `grants_request_id_unique`;--> statement-breakpoint
DROP INDEX `grants_due`;--> statement-breakpoint
CREATE INDEX `grants_due` ON `grants` (`expires_at`,`phase`) WHERE phase IN ('PREPARING', 'ACTIVE');--> statement-breakpoint
DROP INDEX `outbox_by_request`;--> statement-breakpoint
ALTER TABLE `outbox` ADD `lane` text;--> statement-breakpoint
ALTER TABLE `outbox` ADD `way` text DEFAULT 'inside' NOT NULL;--> statement-breakpoint
CREATE INDEX `outbox_by_lane` ON `outbox` (`lane`,`ord`) WHERE lane IS NOT NULL;--> statement-breakpoint
ALTER TABLE `outbox` DROP COLUMN `request_id`;--> statement-breakpoint
ALTER TABLE `requests` ADD `grant_id` text;--> statement-breakpoint
-- Requests of the version before know their grant only in their value.
UPDATE `requests` SET `grant_id` = json_extract(`value`, '$.grantId');
