/** The account that creates and removes the roles of grants, and its server. */
export interface Broker {
  readonly role: string;
  readonly serverVersion: string;
  readonly version: number;
  readonly isSuperuser: boolean;
  readonly createsRoles: boolean;
  readonly endsSessions: boolean;
  readonly isReadOnly: boolean;
  readonly preparedMax: number;
}

/** Returns one row, a {@link Broker}. */
export const aboutBroker = `
  SELECT current_user::text AS role, current_setting('server_version') AS "serverVersion",
         current_setting('server_version_num')::int AS version,
         EXISTS (SELECT FROM pg_roles s WHERE s.rolsuper AND pg_has_role(current_user, s.oid, 'MEMBER')) AS "isSuperuser",
         rolcreaterole AS "createsRoles", pg_has_role(current_user, 'pg_signal_backend', 'USAGE') AS "endsSessions",
         pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean AS "isReadOnly",
         current_setting('max_prepared_transactions')::int AS "preparedMax"
    FROM pg_roles WHERE rolname = current_user`;
