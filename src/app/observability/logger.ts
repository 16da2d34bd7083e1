import { pino, type Logger } from "pino";
import { redactSecrets } from "./redact-secrets.ts";

/** One JSON line per event on standard output, every line cleaned of secrets on its way out. */
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
