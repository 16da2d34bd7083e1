import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";

/** The default of PostgreSQL. */
const iterations = 4_096;
const keyBytes = 32;
const saltBytes = 16;

/**
 * Computes what PostgreSQL stores of a password (RFC 5802, SCRAM-SHA-256). Computed here, so that the password never
 * appears in a statement, a server log or pg_stat_activity. The password must be ASCII, because it is not normalised.
 */
export function scramVerifier(password: string, salt: Buffer = randomBytes(saltBytes)): string {
  const salted = pbkdf2Sync(password, salt, iterations, keyBytes, "sha256");
  const clientKey = hmac(salted, "Client Key");
  const storedKey = createHash("sha256").update(clientKey).digest("base64");
  const serverKey = hmac(salted, "Server Key").toString("base64");
  return `SCRAM-SHA-256$${iterations}:${salt.toString("base64")}$${storedKey}:${serverKey}`;
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
