ALTER TABLE `requests` ADD `stranded_since` integer;--> statement-breakpoint
CREATE INDEX `requests_stranded` ON `requests` (`lapses_at`) WHERE stranded_since IS NOT NULL;