import { expect, it } from "vitest";
import { murmur128 } from "../../src/core/murmur.ts";

/** As the reference gives it for the UTF-16LE bytes of the text. */
it.each([
  ["", "00000000000000000000000000000000"],
  ["a", "033bb196ccef4fe1ccef4fe1ccef4fe1"],
  ["abc", "2b5b97a320f75fb55012c2b45012c2b4"],
  ["12345678", "083fc1f2e182fa4fbd464907c7fddd7a"],
  ["123456789", "0ae17570d324424ae1c75a004f4b9699"],
  ["hello, world", "a852c8b9fdc4dd348d5ff2b878131e89"],
  ["The quick brown fox jumps over the lazy dog", "15beb6860f94f6cafed4894d28be6d5b"],
])("is MurmurHash3 x86 128 of %j", (text, expected) => {
  const words = murmur128(text).map((word) => (word >>> 0).toString(16).padStart(8, "0"));
  expect(words.join("")).toBe(expected);
});
