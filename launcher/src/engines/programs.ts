// Where the programs of engines are that a system's packages bring.

import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { LaunchError } from '../launch-error.ts';

/** Folders of servers that are not in everybody's PATH. */
const furtherFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/opt/homebrew/bin'];

/** The path of a program, or undefined where it is not installed. */
export function programIn(name: string, folders: readonly string[]): string | undefined {
  return folders.map((folder) => join(folder, name)).find(isProgram);
}

/**
 * The path of an engine's program.
 *
 * @param packageName what Debian calls the package that has it
 * @throws LaunchError that names the package
 */
export function findProgram(name: string, packageName: string): string {
  const inPath = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const found = programIn(name, [...inPath, ...furtherFolders]);
  if (found === undefined) throw notInstalled(name, packageName);
  return found;
}

export function notInstalled(what: string, packageName: string): LaunchError {
  return new LaunchError(`${what} is not installed. On Debian: apt-get install ${packageName}`);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
