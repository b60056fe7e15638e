/** Where the control domain of a host image has what is a host's: the same on each. */

/** The host's own directory, on its data disk. */
export const hostDirectory = '/data/host';

/** The signed images of its service guests, on a read-only disk. */
export const imagesDirectory = '/images';

/** The seed that it took last, on its data disk: as signed as it came. */
export const keptSeed = '/data/host-seed';

/** The public key of who signs guests' images. The image has it linked in; in memory it is a file. */
export const imageKeyFile = '/run/flotilla/image-key.pem';
