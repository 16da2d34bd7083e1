import { BlockList, isIP } from "node:net";

/**
 * Addresses that are blocked even where private ones are allowed: link-local addresses, where clouds serve the
 * credentials of their machines, the unspecified address, multicast and reserved ones.
 */
const ranges = [
  ["0.0.0.0", 8, "ipv4"],
  ["169.254.0.0", 16, "ipv4"],
  ["224.0.0.0", 4, "ipv4"],
  ["240.0.0.0", 4, "ipv4"],
  ["::", 128, "ipv6"],
  ["fe80::", 10, "ipv6"],
  ["ff00::", 8, "ipv6"],
  ["fd00:ec2::254", 128, "ipv6"],
] as const;

const blocked = new BlockList();
for (const [network, bits, family] of ranges) blocked.addSubnet(network, bits, family);

/** Whether an address is never called. True for text that is not an IP address. */
export function isBlockedAddress(address: string): boolean {
  const version = isIP(address);
  // BlockList also checks the IPv4 address inside an IPv4-mapped IPv6 address.
  return version === 0 || blocked.check(address, version === 4 ? "ipv4" : "ipv6");
}
