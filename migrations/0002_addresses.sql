CREATE TABLE `surface_addresses` (
	`surface` text NOT NULL,
	`key` text NOT NULL,
	`value` text NOT NULL,
	PRIMARY KEY(`surface`, `key`)
);
