import { BlockList, isIP } from "node:net";

/**
 * What no operator means, even one who allows private addresses: link-local ones, at which clouds give out the
 * credentials of their machines, the address that means "any", and those of many receivers at once.
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

/** Whether an address is not called in any case. What is no IP address is not called either. */
export function isBlockedAddress(address: string): boolean {
  const version = isIP(address);
  // An IPv4 address inside of an IPv6 one is found too: the list looks through it.
  return version === 0 || blocked.check(address, version === 4 ? "ipv4" : "ipv6");
}
