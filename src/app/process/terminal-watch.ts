import { closeSync, constants, openSync } from "node:fs";
import { isatty } from "node:tty";

const standardStreams = [0, 1, 2];

/**
 * Answers whether the terminal this process was started at has been closed since. A process that nohup, setsid or systemd
 * started has no terminal to lose: none of its streams is one, or it is in no terminal's session.
 */
export function createTerminalWatch(): () => boolean {
  const isAtTerminal = standardStreams.some((stream) => isatty(stream)) && hasTerminal();
  return () => isAtTerminal && !hasTerminal();
}

/** The system names no terminal for a session that has none, or whose terminal is closed. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync("/dev/tty", constants.O_RDWR | constants.O_NOCTTY));
    return true;
  } catch {
    return false;
  }
}
