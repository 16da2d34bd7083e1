ALTER TABLE `request_scopes` ADD `status` text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE `request_selectors` ADD `status` text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE `requests` ADD `latest_at` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
UPDATE `request_scopes` SET `status` = (SELECT `status` FROM `requests` WHERE `ord` = `request_ord`);--> statement-breakpoint
UPDATE `request_selectors` SET `status` = (SELECT `status` FROM `requests` WHERE `ord` = `request_ord`);--> statement-breakpoint
UPDATE `requests` SET `latest_at` = `running`.`latest` FROM (SELECT `ord` AS `number`, max(`requested_at`) OVER (ORDER BY `ord`) AS `latest` FROM `requests`) AS `running` WHERE `ord` = `running`.`number`;--> statement-breakpoint
INSERT INTO `counters` (`key`, `used`) SELECT 'grants:active', count(*) FROM `grants` WHERE `phase` = 'ACTIVE';--> statement-breakpoint
CREATE INDEX `request_scopes_by_status` ON `request_scopes` (`scope`,`status`,`request_ord`);--> statement-breakpoint
CREATE INDEX `request_scopes_by_request` ON `request_scopes` (`request_ord`);--> statement-breakpoint
CREATE INDEX `request_selectors_by_part` ON `request_selectors` (`selector`,`part`,`request_ord`);--> statement-breakpoint
CREATE INDEX `request_selectors_by_status` ON `request_selectors` (`selector`,`part`,`status`,`request_ord`);--> statement-breakpoint
CREATE INDEX `request_selectors_by_request` ON `request_selectors` (`request_ord`);--> statement-breakpoint
CREATE INDEX `requests_by_subject_status` ON `requests` (`subject_id`,`status`);--> statement-breakpoint
CREATE INDEX `requests_by_asker_status` ON `requests` (`requested_by_id`,`status`);--> statement-breakpoint
CREATE INDEX `requests_lapsing` ON `requests` (`status`,`lapses_at`) WHERE lapses_at IS NOT NULL;--> statement-breakpoint
CREATE INDEX `requests_by_time` ON `requests` (`latest_at`);--> statement-breakpoint
CREATE INDEX `requests_out_of_order` ON `requests` (`ord`) WHERE requested_at < latest_at;