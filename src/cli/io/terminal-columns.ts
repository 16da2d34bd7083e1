const defaultColumns = 80;

/** The width for output: `COLUMNS`, else that of the terminal, which may report 0 or nothing. */
export function terminalColumns(
  environment: Readonly<Record<string, string | undefined>>,
  ofTerminal: number | undefined,
): number {
  const columns = /^[1-9]\d{0,3}$/.test(environment["COLUMNS"] ?? "") ? Number(environment["COLUMNS"]) : 0;
  return columns || ofTerminal || defaultColumns;
}
