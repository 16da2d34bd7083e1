import { Socket } from "node:net";
import { pino } from "pino";

/** Lines that cannot be written are dropped beyond this, so that they do not fill the memory. */
const unwrittenMaxBytes = 1024 * 1024;

/**
 * Writes lines to standard output, before the call returns wherever that is possible, so that a process that exits at
 * once has written them. The service goes on whatever happens to its log: its reader may go away or stop reading, and
 * its disk may be full.
 */
export function createStandardOutput(): (line: string) => void {
  const { stdout } = process;
  const isPipe = stdout instanceof Socket && !stdout.isTTY;
  return isPipe ? writeToPipe(stdout) : writeToFile();
}

/** A synchronous write to a pipe would stop the whole process while nobody reads it; Node queues the rest instead. */
function writeToPipe(pipe: Socket): (line: string) => void {
  pipe.on("error", () => undefined);
  return (line) => {
    if (pipe.writableLength < unwrittenMaxBytes) pipe.write(line);
  };
}

/** Unlike Node's own stream, this one writes again when a full disk has space again. */
function writeToFile(): (line: string) => void {
  const output = pino.destination({ dest: 1, sync: true, maxLength: unwrittenMaxBytes });
  output.on("error", () => undefined);
  return (line) => void output.write(line);
}
