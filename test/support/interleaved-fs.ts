import {
  type File,
  type FileStat,
  type FileSystem,
  nodeFs,
  type OpenMode,
} from '../../src/sys/fs.ts';

/** The real file system; `before` runs before each call that looks at a folder or opens or reads a file. */
export class InterleavedFs implements FileSystem {
  before: () => Promise<void> = () => Promise.resolve();
  rename(from: string, to: string): Promise<void> {
    return nodeFs.rename(from, to);
  }

  unlink(path: string): Promise<void> {
    return nodeFs.unlink(path);
  }

  mkdir(path: string): Promise<void> {
    return nodeFs.mkdir(path);
  }

  remove(path: string): Promise<void> {
    return nodeFs.remove(path);
  }

  syncDirectory(path: string): Promise<void> {
    return nodeFs.syncDirectory(path);
  }

  statNow(path: string): FileStat | undefined {
    return nodeFs.statNow(path);
  }

  async open(path: string, mode: OpenMode): Promise<File> {
    await this.before();
    const file = await nodeFs.open(path, mode);
    return {
      fd: file.fd,
      read: async (buffer, position) => {
        await this.before();
        return file.read(buffer, position);
      },
      writev: (buffers, position) => file.writev(buffers, position),
      datasync: () => file.datasync(),
      truncate: (bytes) => file.truncate(bytes),
      stat: async () => {
        await this.before();
        return file.stat();
      },
      close: () => file.close(),
    };
  }

  async stat(path: string): Promise<FileStat> {
    await this.before();
    return nodeFs.stat(path);
  }

  async readdir(path: string): Promise<string[]> {
    await this.before();
    return nodeFs.readdir(path);
  }
}
