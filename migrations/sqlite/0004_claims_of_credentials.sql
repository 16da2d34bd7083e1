-- By hand, as 0002. A token lives on only where its grant names it as its own.
CREATE TABLE `__new_credentials` (
	`id` text NOT NULL,
	`grant_ord` integer NOT NULL,
	`hash` text PRIMARY KEY NOT NULL,
	`last4` text NOT NULL,
	`issued_at` integer NOT NULL,
	`current` integer NOT NULL,
	`first_used_at` integer,
	`scope` text NOT NULL,
	`started_at` integer NOT NULL,
	`break_glass` integer NOT NULL,
	FOREIGN KEY (`grant_ord`) REFERENCES `grants`(`ord`) ON UPDATE no action ON DELETE no action
) WITHOUT ROWID;
--> statement-breakpoint
INSERT INTO `__new_credentials`("id", "grant_ord", "hash", "last4", "issued_at", "current", "first_used_at", "scope", "started_at", "break_glass") SELECT c."id", c."grant_ord", c."hash", json_extract(c."value", '$.last4'), json_extract(c."value", '$.issuedAt'), c."current" AND json_extract(g."value", '$.credential.id') IS c."id", c."first_used_at", (SELECT group_concat(s."value", ' ' ORDER BY s."key") FROM json_each(g."value", '$.scopes') s), json_extract(g."value", '$.startedAt'), json_extract(g."value", '$.breakGlass') FROM `credentials` c JOIN `grants` g ON g."ord" = c."grant_ord";--> statement-breakpoint
DROP TABLE `credentials`;--> statement-breakpoint
ALTER TABLE `__new_credentials` RENAME TO `credentials`;--> statement-breakpoint
CREATE UNIQUE INDEX `credentials_id_unique` ON `credentials` (`id`);--> statement-breakpoint
CREATE INDEX `credentials_by_grant` ON `credentials` (`grant_ord`);
