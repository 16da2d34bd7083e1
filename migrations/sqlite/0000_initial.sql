CREATE TABLE `api_keys` (
	`ord` integer PRIMARY KEY NOT NULL,
	`id` text NOT NULL,
	`version` integer NOT NULL,
	`identity_id` text NOT NULL,
	`hash` text NOT NULL,
	`deleted_at` integer,
	`value` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `api_keys_id_unique` ON `api_keys` (`id`);--> statement-breakpoint
CREATE INDEX `api_keys_by_hash` ON `api_keys` (`hash`);--> statement-breakpoint
CREATE INDEX `api_keys_by_identity` ON `api_keys` (`identity_id`);--> statement-breakpoint
CREATE TABLE `audit_events` (
	`seq` integer PRIMARY KEY NOT NULL,
	`body` text NOT NULL,
	`hash` text NOT NULL,
	`request` text GENERATED ALWAYS AS ((CASE WHEN json_valid(body) THEN json_extract(body, '$.request') END)) VIRTUAL,
	`action` text GENERATED ALWAYS AS ((CASE WHEN json_valid(body) THEN json_extract(body, '$.action') END)) VIRTUAL
);
--> statement-breakpoint
CREATE INDEX `by_audited_request` ON `audit_events` (`request`);--> statement-breakpoint
CREATE INDEX `by_audited_action` ON `audit_events` (`action`);--> statement-breakpoint
CREATE INDEX `by_audited_request_and_action` ON `audit_events` (`request`,`action`);--> statement-breakpoint
CREATE TABLE `clock_mark` (
	`id` text PRIMARY KEY NOT NULL,
	`at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `counter_uses` (
	`key` text NOT NULL,
	`at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `counter_uses_by_time` ON `counter_uses` (`key`,`at`);--> statement-breakpoint
CREATE TABLE `counters` (
	`key` text PRIMARY KEY NOT NULL,
	`used` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `credentials` (
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
);
--> statement-breakpoint
CREATE UNIQUE INDEX `credentials_id_unique` ON `credentials` (`id`);--> statement-breakpoint
CREATE INDEX `credentials_by_grant` ON `credentials` (`grant_ord`);--> statement-breakpoint
CREATE TABLE `cursors` (
	`name` text PRIMARY KEY NOT NULL,
	`value` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `deliveries` (
	`ord` integer PRIMARY KEY NOT NULL,
	`id` text NOT NULL,
	`request_id` text NOT NULL,
	`notice` text,
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
CREATE UNIQUE INDEX `deliveries_id_unique` ON `deliveries` (`id`);--> statement-breakpoint
CREATE INDEX `deliveries_by_request` ON `deliveries` (`request_id`);--> statement-breakpoint
CREATE INDEX `deliveries_by_reader` ON `deliveries` (`reader_id`) WHERE reader_id IS NOT NULL;--> statement-breakpoint
CREATE TABLE `grant_scopes` (
	`grant_id` text NOT NULL,
	`request_id` text NOT NULL,
	`subject_id` text NOT NULL,
	`scope` text NOT NULL,
	`started_at` integer NOT NULL,
	`break_glass` integer NOT NULL,
	FOREIGN KEY (`grant_id`) REFERENCES `grants`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `grant_scopes_by_start` ON `grant_scopes` (`subject_id`,`scope`,`started_at`);--> statement-breakpoint
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
CREATE INDEX `grant_targets_by_place` ON `grant_targets` (`connector`,`place`,`state`);--> statement-breakpoint
CREATE INDEX `grant_targets_over` ON `grant_targets` (`over_since`,`state`) WHERE over_since IS NOT NULL;--> statement-breakpoint
CREATE TABLE `grants` (
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
CREATE UNIQUE INDEX `grants_id_unique` ON `grants` (`id`);--> statement-breakpoint
CREATE INDEX `grants_due` ON `grants` (`expires_at`,`phase`) WHERE phase IN ('PREPARING', 'ACTIVE');--> statement-breakpoint
CREATE TABLE `idempotency_records` (
	`key_id` text NOT NULL,
	`call` text NOT NULL,
	`idempotency_key` text NOT NULL,
	`body_hash` text NOT NULL,
	`status` integer NOT NULL,
	`body` text NOT NULL,
	`at` integer NOT NULL,
	PRIMARY KEY(`key_id`, `call`, `idempotency_key`)
);
--> statement-breakpoint
CREATE INDEX `idempotency_records_by_time` ON `idempotency_records` (`at`);--> statement-breakpoint
CREATE TABLE `identities` (
	`ord` integer PRIMARY KEY NOT NULL,
	`id` text NOT NULL,
	`version` integer NOT NULL,
	`email` text,
	`manager_id` text,
	`managed_by` text NOT NULL,
	`value` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `identities_id_unique` ON `identities` (`id`);--> statement-breakpoint
CREATE INDEX `identities_by_email` ON `identities` (`email`);--> statement-breakpoint
CREATE INDEX `identities_by_manager` ON `identities` (`manager_id`);--> statement-breakpoint
CREATE INDEX `identities_by_managed_by` ON `identities` (`managed_by`);--> statement-breakpoint
CREATE TABLE `identity_groups` (
	`group_name` text NOT NULL,
	`identity_id` text NOT NULL,
	PRIMARY KEY(`group_name`, `identity_id`),
	FOREIGN KEY (`identity_id`) REFERENCES `identities`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `identity_groups_by_identity` ON `identity_groups` (`identity_id`);--> statement-breakpoint
CREATE TABLE `outbox` (
	`ord` integer PRIMARY KEY NOT NULL,
	`id` text NOT NULL,
	`ordering_key` text,
	`destination` text NOT NULL,
	`created_at` integer NOT NULL,
	`ready_at` integer NOT NULL,
	`lease` integer NOT NULL,
	`attempts` integer NOT NULL,
	`last_error` text,
	`effect` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `outbox_id_unique` ON `outbox` (`id`);--> statement-breakpoint
CREATE INDEX `outbox_ready` ON `outbox` (`ready_at`);--> statement-breakpoint
CREATE INDEX `outbox_by_ordering_key` ON `outbox` (`ordering_key`,`ord`) WHERE ordering_key IS NOT NULL;--> statement-breakpoint
CREATE INDEX `outbox_by_age` ON `outbox` (`created_at`);--> statement-breakpoint
CREATE TABLE `policies` (
	`ord` integer PRIMARY KEY NOT NULL,
	`id` text NOT NULL,
	`value` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `policies_id_unique` ON `policies` (`id`);--> statement-breakpoint
CREATE TABLE `request_scopes` (
	`scope` text NOT NULL,
	`request_ord` integer NOT NULL,
	`status` text NOT NULL,
	PRIMARY KEY(`scope`, `request_ord`),
	FOREIGN KEY (`request_ord`) REFERENCES `requests`(`ord`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `request_scopes_by_status` ON `request_scopes` (`scope`,`status`,`request_ord`);--> statement-breakpoint
CREATE INDEX `request_scopes_by_request` ON `request_scopes` (`request_ord`);--> statement-breakpoint
CREATE TABLE `request_selectors` (
	`selector` text NOT NULL,
	`request_ord` integer NOT NULL,
	`part` text NOT NULL,
	`status` text NOT NULL,
	PRIMARY KEY(`selector`, `request_ord`),
	FOREIGN KEY (`request_ord`) REFERENCES `requests`(`ord`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `request_selectors_by_part` ON `request_selectors` (`selector`,`part`,`request_ord`);--> statement-breakpoint
CREATE INDEX `request_selectors_by_status` ON `request_selectors` (`selector`,`part`,`status`,`request_ord`);--> statement-breakpoint
CREATE INDEX `request_selectors_by_request` ON `request_selectors` (`request_ord`);--> statement-breakpoint
CREATE TABLE `requests` (
	`ord` integer PRIMARY KEY NOT NULL,
	`id` text NOT NULL,
	`version` integer NOT NULL,
	`subject_id` text NOT NULL,
	`requested_by_id` text NOT NULL,
	`requested_at` integer NOT NULL,
	`latest_at` integer NOT NULL,
	`status` text NOT NULL,
	`lapses_at` integer,
	`due_at` integer,
	`grant_id` text,
	`extends_grant_id` text,
	`stranded_since` integer,
	`denied_at` integer,
	`broke_glass` integer NOT NULL,
	`justified_at` integer,
	`value` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `requests_id_unique` ON `requests` (`id`);--> statement-breakpoint
CREATE INDEX `requests_open` ON `requests` (`subject_id`,`status`,`lapses_at`,`id`) WHERE status IN ('PENDING', 'APPROVED', 'ACTIVE');--> statement-breakpoint
CREATE INDEX `requests_by_subject_time` ON `requests` (`subject_id`,`requested_at`);--> statement-breakpoint
CREATE INDEX `requests_by_subject` ON `requests` (`subject_id`);--> statement-breakpoint
CREATE INDEX `requests_by_subject_status` ON `requests` (`subject_id`,`status`);--> statement-breakpoint
CREATE INDEX `requests_by_requester` ON `requests` (`requested_by_id`);--> statement-breakpoint
CREATE INDEX `requests_by_requester_status` ON `requests` (`requested_by_id`,`status`);--> statement-breakpoint
CREATE INDEX `requests_by_status` ON `requests` (`status`);--> statement-breakpoint
CREATE INDEX `requests_lapsing` ON `requests` (`status`,`lapses_at`) WHERE lapses_at IS NOT NULL;--> statement-breakpoint
CREATE INDEX `requests_by_time` ON `requests` (`latest_at`);--> statement-breakpoint
CREATE INDEX `requests_out_of_order` ON `requests` (`ord`) WHERE requested_at < latest_at;--> statement-breakpoint
CREATE INDEX `requests_due` ON `requests` (`due_at`) WHERE due_at IS NOT NULL;--> statement-breakpoint
CREATE INDEX `requests_by_extended_grant` ON `requests` (`extends_grant_id`) WHERE extends_grant_id IS NOT NULL;--> statement-breakpoint
CREATE INDEX `requests_stranded` ON `requests` (`lapses_at`) WHERE stranded_since IS NOT NULL;--> statement-breakpoint
CREATE INDEX `requests_by_denial` ON `requests` (`subject_id`,`denied_at`) WHERE denied_at IS NOT NULL;--> statement-breakpoint
CREATE INDEX `requests_open_reviews` ON `requests` (`ord`) WHERE broke_glass = 1 AND justified_at IS NULL;--> statement-breakpoint
CREATE INDEX `requests_by_break_glass` ON `requests` (`subject_id`) WHERE broke_glass = 1;--> statement-breakpoint
CREATE TABLE `rulebook` (
	`id` text PRIMARY KEY NOT NULL,
	`version` integer NOT NULL,
	`source` text,
	`lockdown` integer NOT NULL,
	`rules` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `surface_addresses` (
	`surface` text NOT NULL,
	`key` text NOT NULL,
	`value` text NOT NULL,
	PRIMARY KEY(`surface`, `key`)
);
--> statement-breakpoint
CREATE TABLE `unique_names` (
	`name` text PRIMARY KEY NOT NULL,
	`owner` text NOT NULL
);
