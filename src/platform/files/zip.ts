/** The files in a zip file, and where their bytes lie in it. */

import yauzl from "yauzl";
import { PrickleError } from "../../core/errors.ts";

export interface ZipEntry {
  /** Its path in the zip file. */
  readonly name: string;
  /** Of its bytes in the zip file. */
  readonly start: number;
  readonly size: number;
  readonly isDeflated: boolean;
  /** What it has after decompression. */
  readonly unpackedSize: number;
  readonly crc32: number;
}

const STORED = 0;
const DEFLATED = 8;

/** In the order they lie there; folders are left out. @throws INPUT_INVALID when it is damaged or kept from readers */
export async function listZip(path: string): Promise<readonly ZipEntry[]> {
  try {
    const zip = await yauzl.openPromise(path, { autoClose: false });
    try {
      return await entriesOf(path, zip);
    } finally {
      zip.close();
    }
  } catch (thrown) {
    if (thrown instanceof PrickleError) throw thrown;
    throw invalid(`${path}: the zip file is damaged (${thrown instanceof Error ? thrown.message : thrown}).`, thrown);
  }
}

async function entriesOf(path: string, zip: yauzl.ZipFile): Promise<readonly ZipEntry[]> {
  const entries: ZipEntry[] = [];
  for await (const entry of zip.eachEntry()) {
    if (entry.fileName.endsWith("/")) continue;
    requireReadable(path, entry);
    const { fileDataStart } = await zip.readLocalFileHeaderPromise(entry, { minimal: true });
    entries.push({
      name: entry.fileName,
      start: fileDataStart,
      size: entry.compressedSize,
      isDeflated: entry.compressionMethod === DEFLATED,
      unpackedSize: entry.uncompressedSize,
      crc32: entry.crc32,
    });
  }
  return entries;
}

function requireReadable(path: string, entry: yauzl.Entry): void {
  const { compressionMethod: method, fileName } = entry;
  if (entry.isEncrypted()) throw invalid(`${path}: ${fileName} is encrypted.`);
  if (method !== STORED && method !== DEFLATED)
    throw invalid(`${path}: ${fileName} is compressed by method ${method}; stored and deflated ones can be read.`);
}

function invalid(message: string, cause?: unknown): PrickleError {
  return new PrickleError("INPUT_INVALID", message, {
    hint: "Fetch it again, or unpack it and name the files.",
    cause,
  });
}
