/** Where a fake HubSpot lets the files of its exports lie: a host of its own, which refuses keys that are not its. */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { FakeExports } from "./exports.ts";

export interface FileHost extends AsyncDisposable {
  readonly url: string;
  /** Paths asked for. */
  readonly requests: string[];
}

export async function startFileHost(exports: () => FakeExports): Promise<FileHost> {
  const requests: string[] = [];
  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? "/";
    requests.push(path);
    const interference = exports().settings.interfereDownload(requests.length);
    if (interference !== null && interference !== "cut") {
      const { status, location } = interference;
      return void response.writeHead(status, location ? { location } : {}).end("<Error/>");
    }
    if (request.headers.authorization !== undefined) return void response.writeHead(400).end("<Error/>");
    const file = await exports().file(path);
    if (!file) return void response.writeHead(403).end("<Error><Code>AccessDenied</Code></Error>");
    response.writeHead(200, { "content-type": "application/octet-stream", "content-length": file.length });
    if (interference === null) return void response.end(file);
    response.write(file.subarray(0, file.length / 2), () => response.destroy());
  }
  const server = createServer((request, response) => {
    respond(request, response).catch((thrown: unknown) => response.destroy(thrown as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // Of a server that listens on a port.
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
