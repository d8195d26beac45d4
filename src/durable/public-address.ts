/**
 * Which addresses belong to the public Internet. The blocks are those of IANA's special-purpose registries for IPv4 and
 * IPv6 (as of 2025-10-09) that are not globally reachable, with multicast, reserved space and one metadata service that
 * lives outside of them. Of IPv6 only 2000::/3 is given out at all, so everything else is refused without a list: ULA,
 * link-local, multicast, and what embeds IPv4 (mapped, compatible, NAT64). Two blocks are refused as a whole although
 * the registries name reachable addresses in them: those serve protocols, nobody serves the web there.
 */
import { convertIPv4ToBinary, convertIPv6ToBinary } from 'hono/utils/ipaddr';

const IPV4_SPECIAL = [
  '0.0.0.0/8', // this network
  '10.0.0.0/8', // private
  '100.64.0.0/10', // shared by carriers
  '127.0.0.0/8', // loopback
  '168.63.129.16/32', // what Azure's machines ask about themselves
  '169.254.0.0/16', // link-local, with the metadata services of most clouds
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocol assignments
  '192.0.2.0/24', // documentation
  '192.88.99.0/24', // 6to4 relays, deprecated
  '192.168.0.0/16', // private
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, and broadcast
].map((cidr) => block(cidr, 32, convertIPv4ToBinary));

const IPV6_UNICAST = block('2000::/3', 128, convertIPv6ToBinary);

const IPV6_SPECIAL = [
  '2001::/23', // protocol assignments: Teredo, benchmarks, ORCHID
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4
  '3fff::/20', // documentation
].map((cidr) => block(cidr, 128, convertIPv6ToBinary));

/** `address` in its usual form, as URL parsers and resolvers give it; anything else is not public. */
export function isPublic(address: string): boolean {
  try {
    if (!address.includes(':')) return !isInAny(IPV4_SPECIAL, convertIPv4ToBinary(address));
    const value = convertIPv6ToBinary(address);
    return isIn(IPV6_UNICAST, value) && !isInAny(IPV6_SPECIAL, value);
  } catch {
    return false;
  }
}

interface Block {
  network: bigint;
  hostBits: bigint;
}

function block(cidr: string, bits: number, toBinary: (address: string) => bigint): Block {
  const [address = '', prefix] = cidr.split('/');
  const hostBits = BigInt(bits - Number(prefix));
  return { network: toBinary(address) >> hostBits, hostBits };
}

const isIn = ({ network, hostBits }: Block, address: bigint): boolean => address >> hostBits === network;

const isInAny = (blocks: Block[], address: bigint): boolean => blocks.some((one) => isIn(one, address));
