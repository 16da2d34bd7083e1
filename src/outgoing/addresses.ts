import { BlockList, isIP } from "node:net";

/** Which addresses may be called. */
export type Reach = "public" | "private too";

/**
 * Not the internet: private networks, this machine, shared, documentation, benchmark and reserved ranges (IANA's
 * special-purpose registries).
 */
const notPublic4 = listOf("ipv4", [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
]);
/** Of IPv6 only global unicast is the internet; parts of it stand for other things, or wrap an IPv4 address. */
const global6 = listOf("ipv6", ["2000::/3"]);
const notPublic6 = listOf("ipv6", ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"]);

/** Never called, whatever is allowed: link-local, where clouds keep credentials of their machines, and many at once. */
const never4 = listOf("ipv4", ["0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4"]);
const never6 = listOf("ipv6", ["::/128", "fe80::/10", "ff00::/8", "fd00:ec2::254/128"]);

/** Whether a connection to this address may be opened. What is no address may not. */
export function mayConnect(address: string, reach: Reach): boolean {
  const plain = mappedIpv4(address) ?? address;
  const family = isIP(plain);
  if (family === 4) return !(reach === "public" ? notPublic4 : never4).check(plain, "ipv4");
  if (family !== 6) return false;
  if (reach === "private too") return !never6.check(plain, "ipv6");
  return global6.check(plain, "ipv6") && !notPublic6.check(plain, "ipv6");
}

/** The IPv4 address inside of `::ffff:10.0.0.1` or `::ffff:a00:1`: what is connected to is that. */
function mappedIpv4(address: string): string | undefined {
  if (isIP(address) !== 6) return undefined;
  const dotted = /^(?:0*:)*:?ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (dotted !== undefined) return dotted;
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i.exec(address) ?? [];
  if (high === undefined || low === undefined) return undefined;
  const bytes = [high, low].flatMap((part) => {
    const value = Number.parseInt(part, 16);
    return [Math.floor(value / 256), value % 256];
  });
  return bytes.join(".");
}

function listOf(family: "ipv4" | "ipv6", ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [net = "", bits] = range.split("/");
    list.addSubnet(net, Number(bits), family);
  }
  return list;
}
