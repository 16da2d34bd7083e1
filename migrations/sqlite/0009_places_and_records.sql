CREATE INDEX `by_audited_request_action` ON `audit_events` (`request`,`action`);--> statement-breakpoint
CREATE INDEX `grant_targets_by_place` ON `grant_targets` (`connector`,`place`,`state`);