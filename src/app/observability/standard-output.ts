import { pino } from "pino";

/** Lines that cannot be written are dropped beyond this, so that a full disk does not fill the memory as well. */
const unwrittenMaxBytes = 1024 * 1024;

/**
 * Writes lines to standard output before the call returns, so that a process that exits at once has written them. An
 * error is ignored: a log reader that goes away must not end the service.
 */
export function createStandardOutput(): (line: string) => void {
  const output = pino.destination({ dest: 1, sync: true, maxLength: unwrittenMaxBytes });
  output.on("error", () => undefined);
  return (line) => void output.write(line);
}
