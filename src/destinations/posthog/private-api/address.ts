/** Where a project's calls of PostHog's private API are (facts: PostHog's private API, 7, 2026-11). */

export interface ProjectAddress {
  /** Where messages go; the private API of PostHog's cloud is on another host. */
  readonly host: string;
  /** Default: what belongs to `host`. A path in it is kept. */
  readonly apiHost?: string | undefined;
  readonly projectId: number;
}

const HOSTS_OF_CLOUD = /^(us|eu)\.i\.posthog\.com$/;

/** PostHog's cloud answers its private API on another host than it takes events on. */
export function apiAddress({ host, apiHost }: Pick<ProjectAddress, "host" | "apiHost">): URL {
  if (apiHost !== undefined) return new URL(apiHost);
  const url = new URL(host);
  url.hostname = url.hostname.replace(HOSTS_OF_CLOUD, "$1.posthog.com");
  return url;
}

/** The calls are under `base` of `origin`. */
export function projectAddress({ projectId, ...address }: ProjectAddress): { origin: string; base: string } {
  const { origin, pathname } = apiAddress(address);
  return { origin, base: `${pathname.replace(/\/+$/, "")}/api/projects/${projectId}` };
}
