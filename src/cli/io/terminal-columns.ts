const usualColumns = 80;

/** The width to write for: `COLUMNS` when it says one, else what the terminal says, which may be 0 or nothing. */
export function terminalColumns(
  environment: Readonly<Record<string, string | undefined>>,
  ofTerminal: number | undefined,
): number {
  const columns = /^[1-9]\d{0,3}$/.test(environment["COLUMNS"] ?? "") ? Number(environment["COLUMNS"]) : 0;
  return columns || ofTerminal || usualColumns;
}
