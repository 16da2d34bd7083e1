// What the maintenance commands do with a database that no store has open.

export { backUp, BackupError, restore, type Backup } from "./sqlite/backup.ts";
