internal import ArgumentParser
import RRDatasets
import RRPreparation

struct ImportPNGsCommand: FolderImportCommand {
    static let files = ImageFolderOptions.Files.pngs
    static let configuration = CommandConfiguration(
        commandName: "pngs",
        abstract: "Make a dataset of a folder of PNG files.",
        discussion: """
            Folders on the first level are classes, in the order of their names; or they are train, val and test, \
            with the classes within, or called as people call these (Training, valid, dev, holdout, test_set): a note \
            says so. Where a name may be either, it is refused; --splits train=Training,test=Testing says which are \
            splits, --no-splits that none is. Or a metadata.csv (file_name, label, and where wanted split, group and \
            mask_file_name) or metadata.jsonl lists the files, in the folder or in train, val and test. \
            Ids are paths without the extension.

            A folder that holds masks beside its images, x_mask.png and x_mask_1.png beside x.png or masks/x.png beside \
            images/x.png, is refused unless --masks-among-images says that they are masks (of several the union is \
            taken) or --no-masks-among-images that they are images.

            Every PNG is read. Samples are stored as they stand: 16-bit samples stay 16-bit, gamma and colour \
            profiles are ignored and counted. Only palettes become RGB, transparent colours become alpha, and gray \
            of 1, 2 or 4 bits is scaled to 8. All images must agree in size, colour type and depth, or --size, \
            --color and --depth say what they become:

            --orientation ignore, the default, stores images and masks as their files do; apply turns those whose eXIf \
            chunk says so, and a line counts them either way. Faults that leave the pixels whole are read over and \
            counted: an ancillary chunk with a wrong checksum, data after the last row, a tRNS chunk of a wrong \
            length, which then makes nothing transparent. A mask without such a chunk follows its image by its size, or as \
            --masks-drawn-on says.
            --color gray weighs colours as ITU-R BT.601 does (0.299, 0.587, 0.114), rounded. rgb and gray \
            composite transparent pixels over --background, black by default; rgba and gray-alpha keep alpha, \
            and add an opaque one where there is none.
            --depth 8 stores 16-bit samples v as round(v * 255 / 65535), --depth 16 stores 8-bit ones as 257 v.
            --size resizes with antialiasing; --fit stretches, crops to the centre, or pads with --background. \
            The dataset remembers it, and masks that are imported for it later are resized alike.

            Examples:
              rrdata import pngs photos -o photos.h5
              rrdata import pngs photos --size 224x224 --fit crop --color rgb --depth 8 -o photos.h5
              rrdata import pngs birds --metadata birds/list.csv --columns file=img_filename,label=y,group=place -o b.h5
              rrdata import pngs photos --masks lesions --match '{id}_mask' -o photos.h5 --masks-output masks.h5
              rrdata import pngs unsorted --labels none --on-error skip -o unsorted.h5
            """)

    @OptionGroup var arguments: FolderImportArguments
}
