/** What strangers may send, as text and bytes. */

import fc from "fast-check";

const anyUnits = fc.array(fc.nat(0xffff), { maxLength: 20 }).map((units) => String.fromCharCode(...units));

const hostileText = fc.oneof(
  anyUnits,
  fc.constantFrom("__proto__", "constructor", "toString", "\ud800", "\0", "null", "", "x".repeat(401)),
);

const timeText = fc
  .oneof(
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    fc.constantFrom(
      "0000-01-01",
      "9999-12-31T23:59:59.999+14:00",
      "1582-10-10",
      "2026-02-29T24:00:00Z",
      "2026-13-45",
      "",
    ),
  )
  .map((text) => JSON.stringify(text));

const valueText = fc
  .oneof(hostileText, fc.jsonValue({ maxDepth: 3 }), fc.double())
  .map((value) => JSON.stringify(value));

/** JSON text of an object: a key can come twice, and `__proto__` is one like any other. */
function objectText(keys: fc.Arbitrary<string>, value: fc.Arbitrary<string>, maxKeys = 8): fc.Arbitrary<string> {
  const pair = fc.tuple(keys, value).map(([key, text]) => `${JSON.stringify(key)}:${text}`);
  return fc.array(pair, { maxLength: maxKeys }).map((pairs) => `{${pairs.join(",")}}`);
}

/** One object with the keys of all, those of later ones after those of earlier ones. */
function joined(objects: readonly string[]): string {
  return `{${objects.flatMap((text) => (text === "{}" ? [] : text.slice(1, -1))).join(",")}}`;
}

const textText = hostileText.map((text) => JSON.stringify(text));
const bag = objectText(
  fc.oneof(hostileText, fc.constantFrom("groupType", "company", "name", "project_id", "groupId", "page", "$groups")),
  valueText,
);
const mostlyBag = fc.oneof({ weight: 9, arbitrary: bag }, { weight: 1, arbitrary: valueText });

/** A Segment call, more or less. */
export const callText = fc
  .tuple(
    fc
      .constantFrom("track", "group", "identify", "page", "alias", "delete", "__proto__")
      .map((type) => JSON.stringify({ type, userId: "u1", groupId: "g1", event: "E", previousId: "u0" })),
    objectText(fc.constantFrom("userId", "anonymousId", "groupId", "previousId", "messageId", "event"), textText, 4),
    objectText(fc.constantFrom("timestamp", "originalTimestamp", "sentAt", "receivedAt"), timeText, 2),
    objectText(
      fc.constantFrom("type", "writeKey", "json", "batch", "__proto__", "constructor", "userId"),
      valueText,
      1,
    ),
    objectText(fc.constantFrom("traits", "properties", "context", "integrations"), mostlyBag, 4),
  )
  .map(joined);

/** A batch of calls, with fields for all of them. */
export const callBatchText = fc
  .tuple(
    fc.array(fc.oneof(callText, valueText), { maxLength: 4 }).map((calls) => `{"batch":[${calls.join(",")}]}`),
    objectText(fc.constantFrom("context", "integrations", "sentAt", "__proto__"), mostlyBag, 3),
  )
  .map(joined);

const posthogProperties = fc
  .tuple(
    fc
      .constantFrom("company", "sixth", "__proto__")
      .map((type) => JSON.stringify({ $group_type: type, $group_key: "k" })),
    objectText(
      fc.constantFrom("$group_type", "$group_key", "distinct_id", "$process_person_profile", "token", "__proto__"),
      valueText,
    ),
    objectText(fc.constantFrom("$groups", "$group_set", "$set"), mostlyBag),
  )
  .map(joined);

/** An event in PostHog's form, more or less, with a token. */
export const posthogText = fc
  .tuple(
    fc
      .constantFrom("$groupidentify", "E")
      .map((event) => JSON.stringify({ event, api_key: "phc_x", distinct_id: "d" })),
    objectText(fc.constantFrom("event", "distinct_id"), textText, 2),
    objectText(fc.constantFrom("timestamp"), timeText, 1),
    objectText(fc.constantFrom("uuid", "$set", "timestamp", "__proto__"), valueText, 1),
    fc.oneof(posthogProperties, mostlyBag).map((properties) => `{"properties":${properties}}`),
  )
  .map(joined);

const v1EventText = fc
  .tuple(
    fc.uuid().map((uuid) => {
      const at = "2026-10-01T09:30:00Z";
      return JSON.stringify({ event: "$groupidentify", uuid, distinct_id: "d", timestamp: at });
    }),
    objectText(fc.constantFrom("event", "distinct_id", "session_id", "window_id"), textText, 2),
    objectText(fc.constantFrom("timestamp"), timeText, 1),
    objectText(fc.constantFrom("uuid", "options", "properties", "__proto__"), valueText, 1),
    fc.oneof(posthogProperties, bag).map((properties) => `{"properties":${properties}}`),
    objectText(fc.constantFrom("cookieless_mode", "disable_skew_correction", "product_tour_id"), valueText, 2).map(
      (options) => `{"options":${options}}`,
    ),
  )
  .map(joined);

/** A batch of events by protocol v1, more or less: most get as far as the engine. */
export const v1BatchText = fc
  .tuple(
    fc.array(fc.oneof({ weight: 9, arbitrary: v1EventText }, { weight: 1, arbitrary: valueText }), { maxLength: 4 }),
    objectText(fc.constantFrom("created_at", "historical_migration", "__proto__"), valueText, 1),
  )
  .map(([events, more]) => joined([`{"created_at":"2026-10-01T09:30:00Z","batch":[${events.join(",")}]}`, more]));

/** What an operator's client may ask, more or less. */
export const questionText = objectText(
  fc.constantFrom(
    ...["groupType", "event", "interval", "from", "to", "breakdown", "limit", "offset", "search", "ids", "destination"],
    "__proto__",
  ),
  fc.oneof(
    valueText,
    fc.constantFrom(
      `"${"1".repeat(30)}"`,
      '"company"',
      '"day"',
      "null",
      "0",
      "5",
      "-1",
      "1e9",
      "[]",
      "[0,1e308]",
      '"2026-01-01"',
    ),
  ),
);

const groupType = fc.oneof(fc.constantFrom("company", "company", "nobody"), hostileText);
const instant = fc.option(
  fc.oneof(
    timeText.map((text): string => JSON.parse(text)),
    hostileText,
  ),
  { freq: 3 },
);

/** Complete questions, so that they reach the engine. */
export const trendsText = fc
  .record({
    groupType,
    event: fc.option(hostileText, { freq: 1 }),
    interval: fc.constantFrom("day", "week", "month"),
    from: instant,
    to: instant,
    breakdown: fc.option(hostileText),
  })
  .map((query) => JSON.stringify(query));

export const groupsText = fc
  .record({ groupType, limit: fc.nat(12_000), offset: fc.nat(1_000_000_000), search: hostileText })
  .map((query) => JSON.stringify(query));

/** Any text in any encoding of its own. */
export const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  anyUnits.map((text) => Buffer.from(text, "utf16le")),
  callText.map((text) => Buffer.from(text)),
);

/** `bytes` with a few of them changed, taken out or put in. */
export function damaged(bytes: Uint8Array): fc.Arbitrary<Uint8Array> {
  const change = fc.tuple(fc.nat(bytes.length - 1), fc.nat(2), fc.uint8Array({ minLength: 1, maxLength: 4 }));
  return fc.array(change, { minLength: 1, maxLength: 4 }).map((changes) => {
    const list = [...bytes];
    for (const [at, taken, put] of changes) list.splice(at, taken, ...put);
    return Uint8Array.from(list);
  });
}

/** `levels` objects in one another, as JSON text. */
export function nestedObjects(levels: number): string {
  return `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;
}

/** `levels` arrays in one another, as JSON text. */
export function nestedArrays(levels: number): string {
  return "[".repeat(levels) + "]".repeat(levels);
}
