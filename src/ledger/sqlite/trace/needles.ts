/** What is looked for in the bytes of a block. Where each of them stands next is asked once for every time it is found. */

export interface Needles {
  addText(text: string): void;
  /** Its 16 bytes. What is no uuid is not looked for. */
  addUuid(text: string): void;
  /** What is asked from now on is about this block, from its beginning to its end. */
  begin(block: Buffer): void;
  /** Whether any of them begins between two places. */
  isBetween(from: number, to: number): boolean;
}

interface Needle {
  readonly bytes: Buffer;
  next: number;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const NOWHERE = Number.POSITIVE_INFINITY;

export function createNeedles(): Needles {
  const needles = new Map<string, Needle>();
  let block: Buffer = Buffer.alloc(0);

  function add(bytes: Buffer): void {
    const name = bytes.toString("hex");
    // An empty one would be found everywhere.
    if (bytes.length > 0 && !needles.has(name)) needles.set(name, { bytes, next: 0 });
  }

  function find({ bytes }: Needle, from: number): number {
    const found = block.indexOf(bytes, from);
    return found < 0 ? NOWHERE : found;
  }

  return {
    addText: (text) => add(Buffer.from(text)),
    addUuid(text) {
      if (UUID.test(text)) add(Buffer.from(text.replaceAll("-", ""), "hex"));
    },
    begin(next) {
      block = next;
      for (const needle of needles.values()) needle.next = find(needle, 0);
    },
    isBetween(from, to) {
      let isFound = false;
      for (const needle of needles.values()) {
        if (needle.next < from) needle.next = find(needle, from);
        if (needle.next < to) isFound = true;
      }
      return isFound;
    },
  };
}
