/** The name of the variable in `env:NAME`, the only way a secret gets into the file. */
export function environmentName(text: string): string | undefined {
  return /^env:([A-Za-z_][A-Za-z0-9_]{0,99})$/.exec(text)?.[1];
}
