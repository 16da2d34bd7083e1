import { pino, type Logger } from "pino";
import { redactSecrets } from "./redact-secrets.ts";

/** Writes one JSON line per event, with secrets redacted. */
export function createLogger(level: string, write: (line: string) => void): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => write(redactSecrets(line)) },
  );
}
