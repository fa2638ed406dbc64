internal import ArgumentParser
import RRDatasets

struct ImportImagesCommand: FolderImportCommand {
    static let files = ImageFolderOptions.Files.images
    static let configuration = CommandConfiguration(
        commandName: "images",
        abstract: "Make a dataset of a folder of photographs and other images, JPEG and PNG.",
        discussion: """
            Files are those whose names end in .png, .jpg, .jpeg, .jpe or .jfif; what a file is, its content says. Which \
            folders are classes and splits, which list names the files, and how masks are met is as `import pngs --help` \
            tells.

            The pixels are those of Pillow and libjpeg-turbo: the accurate transform, smooth upsampling of colour. \
            CMYK and YCCK become RGB as Pillow's convert("RGB") makes it; gray stays gray, and --color rgb makes all \
            alike. Colour profiles are ignored and counted. --orientation ignore, the default, stores images as their \
            files do, as Pillow and torchvision read them; apply turns those whose Exif data says so, as viewers and \
            OpenCV do, and a line counts them either way. A file that is cut short or damaged is refused; \
            --truncated complete fills up what is missing at its end with gray, as Pillow's LOAD_TRUNCATED_IMAGES.

            Photographs differ in size: --size 224x224 with --fit crop (the shorter side to 224, and the centre), \
            stretch or pad. Images are decoded whole and resized with antialiasing.

            WebP, HEIC, AVIF, TIFF, BMP, GIF, JPEG 2000 and DICOM files and Git LFS pointers are named, with what to do.

            Examples:
              rrdata import images photos --size 224x224 --fit crop --color rgb -o photos.h5
              rrdata import images waterbirds --metadata waterbirds/metadata.csv \\
                --columns file=img_filename,label=y,split=split,group=place --split-values train=0,val=1,test=2 \\
                --size 224x224 --color rgb -o waterbirds.h5
              rrdata import images scans --orientation apply --size 299x299 -o scans.h5
            """)

    @OptionGroup var arguments: FolderImportArguments
}
