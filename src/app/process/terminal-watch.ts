import { closeSync, constants, openSync } from "node:fs";
import { isatty } from "node:tty";

const standardStreams = [0, 1, 2];

/**
 * Returns a check for whether the terminal that started this process has been closed. A process started by nohup, setsid
 * or systemd has no terminal: none of its streams is one, or its session has none.
 */
export function createTerminalWatch(): () => boolean {
  const isAtTerminal = standardStreams.some((stream) => isatty(stream)) && hasTerminal();
  return () => isAtTerminal && !hasTerminal();
}

/** Opening /dev/tty fails in a session without a terminal, or whose terminal is closed. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync("/dev/tty", constants.O_RDWR | constants.O_NOCTTY));
    return true;
  } catch {
    return false;
  }
}
