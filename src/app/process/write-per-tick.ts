/**
 * Writes lines together that come in one turn of the event loop, in order: asking the system for each costs more than
 * making it. A process that ends writes what it has first; only one that is killed in that very turn loses it.
 */
export function writePerTick(write: (text: string) => void): (line: string) => void {
  let text = "";
  const flush = (): void => {
    const whole = text;
    text = "";
    if (whole !== "") write(whole);
  };
  process.once("exit", flush);
  return (line) => {
    if (text === "") setImmediate(flush);
    text += line;
  };
}
