/** Whether this is an https URL, or http on this machine, without a user name or password. */
export function isTrustedUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || url.username !== "" || url.password !== "") return false;
  return url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url.hostname));
}

/** Whether this is a trusted URL with one of these hosts. */
export function isTrustedHost(text: string, hosts: readonly string[]): boolean {
  return isTrustedUrl(text) && hosts.includes(URL.parse(text)?.hostname ?? "");
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host);
}
