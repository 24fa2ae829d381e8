// A disk with little room: a tmpfs over a folder, and a file that fills it.
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const asRoot = (program, ...flags) => execFileSync(process.getuid() === 0 ? program : 'sudo', process.getuid() === 0 ? flags : ['-n', program, ...flags], { stdio: 'pipe' });

export class SmallDisk {
  /** @param {string} folder made when missing @param {number} megabytes */
  constructor(folder, megabytes) {
    Object.assign(this, { folder, ballast: join(folder, 'ballast') });
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    try {
      asRoot('mount', '-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0700,uid=${process.getuid()},gid=${process.getgid()}`, 'cameleer-test', folder);
    } catch (error) {
      throw new Error(`A full disk needs a file system of its own, and this place lets nobody mount one (as root, or with sudo without a password; a container needs CAP_SYS_ADMIN): ${error.stderr ?? error.message}`);
    }
  }

  get free() {
    const { bavail, bsize } = statfsSync(this.folder);
    return bavail * bsize;
  }

  /** Takes all room but `leave` bytes. */
  fill(leave = 0) {
    const file = openSync(this.ballast, 'w', 0o600);
    try {
      for (let left = this.free - leave; left > 0; left = this.free - leave) {
        if (writeSync(file, Buffer.alloc(Math.min(left, 1 << 20))) === 0) break;
      }
    } catch (error) {
      if (error.code !== 'ENOSPC') throw error;
    } finally {
      closeSync(file);
    }
  }

  empty() { rmSync(this.ballast, { force: true }); }

  /** Also while somebody still has a file in it. */
  remove() { asRoot('umount', '--lazy', this.folder); }
}
