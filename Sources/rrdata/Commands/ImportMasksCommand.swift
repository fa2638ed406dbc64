internal import ArgumentParser
import RRDatasets
import RRFormats
import RRPreparation
import RRSchemas
import RRTensor

struct ImportMasksCommand: PathCommand {
    static let configuration = CommandConfiguration(
        commandName: "masks",
        abstract: "Make a mask set for a dataset of mask images, annotations or boxes.",
        discussion: """
            SOURCE is one of
              a folder of PNG files that are named after the samples' ids, with 0 and 1, or 0 and the largest value, \
            as gray values. A palette that is black and white where the mask uses it is read as the image that it \
            shows; any other by its numbers, 0 the background and 1 or 255 the mark, if the colour of 0 is nearly \
            black or transparent; else it is refused with both readings. In Pascal VOC's palette 255 is void: beside \
            0 and 1 it is never marked as wrong, whatever --marks says. --mask-values takes the numbers of palettes, \
            --mask-colors masks in colours. x_mask_1.png, x_mask_2.png are parts of x_mask.png with --match '{id}_mask';
              a COCO annotation file (.json): run lengths, polygons, and boxes where there is no segmentation; a \
            sample's mask is the union of its image's annotations;
              a table of boxes (.csv, .tsv) with a header: id or file_name, and x_min, y_min, x_max, y_max or x, y, \
            width, height, or as VinDr, RSNA, NIH, TensorFlow and YOLO call them. A pixel is in a box where its centre \
            is: x_min <= column + 0.5 < x_max. A line without a box says that nothing is marked;
              annotations of labelme (a .json, or a folder of them, beside the images or not), CVAT (its XML “CVAT for \
            images 1.1”, or the folder of its export), Label Studio (JSON or JSON-MIN) or YOLO (a folder of .txt: boxes \
            and polygons; names of classes from classes.txt or data.yaml). Pixels are those that labelme, CVAT, Label \
            Studio and Ultralytics themselves make of a shape; of Label Studio's ellipses and of YOLO's boxes \
            those whose centres lie within. Of soft masks and brushes all that is not 0 counts, or --mask-threshold and \
            more. Coordinates are those of the image as viewers show it, turned by its Exif orientation;
              an HDF5, NPY, NPZ or IDX file with an array of masks, one for each sample in the dataset's order, or \
            for those that --rows, --ids or --flags name.

            Coordinates of which all are from 0 to 1, and not all whole, are shares of the image. \
            Where no name is a whole id, names and ids are compared without the folders before them; a folder that is \
            called as another class or split than the sample's is refused. Samples without \
            a mask stay unannotated. Masks have the size of the images; where the dataset was imported with --size, \
            the masks are resized alike. --invert comes first, then the size, then --dilate or --erode, then --marks.

            Examples:
              rrdata import masks lesions --for skin.h5 --match '{id}_segmentation' -o masks.h5
              rrdata import masks drawn --for d.h5 --mask-colors FF0000,00FF00 --dilate 2 -o m.h5
              rrdata import masks annotations.json --for d.h5 --category ruler --min-area 20 -o m.h5
              rrdata import masks boxes.csv --for d.h5 --marks right -o m.h5
              rrdata import masks photos --for d.h5 --format labelme --category ruler -o m.h5
              rrdata import masks label-studio.json --for d.h5 --mask-threshold 0.5 -o m.h5
              rrdata import masks skin.npz --for d.h5 --masks masks --flags has_mask -o m.h5
            """)

    @Argument(
        help:
            "A folder of PNG files, annotations of a tool or of COCO, a table of boxes, or a file with an array."
    )
    var source: String

    @Option(name: .customLong("for"), help: "The dataset that the masks are for, or a folder of PNG files.")
    var dataset: String

    @OptionGroup var output: OutputOptions

    @OptionGroup var values: MaskValueOptions

    @Option(
        help:
            "What the source is; by default what it shows to be, and where it may be two things it is refused."
    )
    var format: MaskSourceKind?

    @Option(help: "Arrays: the path of the masks in an HDF5 or NPZ file that holds several.")
    var masks: String?

    @Option(
        name: [.customLong("masks-layout"), .customLong("layout")],
        help:
            "Arrays: the order of the masks' dimensions; that of the images by default, as far as their shape allows."
    )
    var masksLayout: ArrayLayout?

    @Option(help: "Arrays: the path of an array of the samples' row numbers, one a mask; beside NPY, a file.")
    var rows: String?

    @Option(help: "Arrays: the path of an array of the samples' ids, one a mask.")
    var ids: String?

    @Option(help: "Arrays: the path of an array of truth values, one a sample: whether it has a mask.")
    var flags: String?

    @Option(
        help: """
            Tables with a column of lists, bbox: xywh for left and upper edge, width and height, xyxy for the four edges, \
            or cxcywh for the centre, width and height; what fits the images by default.
            """)
    var boxes: BoxForm?

    @Option(
        help: """
            COCO and annotation tools: a category or label that is taken, by name or id; give it several times for more. \
            All by default.
            """
    )
    var category: [String] = []

    @Option(help: "COCO: the smallest area of an annotation that is taken, in pixels.")
    var minArea: Double?

    @Option(help: "COCO: the largest area of an annotation that is taken, in pixels.")
    var maxArea: Double?

    @Flag(
        name: .customLong("strict"),
        help: """
            COCO and annotation tools: stop at annotations for images that are not in the file and at polygons of fewer \
            than three points, which are left out and counted otherwise.
            """)
    var isStrict = false

    @Option(
        help:
            "Mask images: what a file leads to that cannot be decoded: stop, or leave its sample without a mask and say so."
    )
    var onError: PNGFolderImport.ErrorPolicy = .stop

    @OptionGroup(title: "How a folder of PNG files is read, and masks by their --orientation")
    var folder: FolderOptions

    @OptionGroup var threads: ThreadOptions
    @OptionGroup var report: ReportOptions

    var paths: CommandPaths {
        var paths = CommandPaths(output)
        paths.read(source, dataset)
        paths.readArrays([rows, ids, flags].compactMap(\.self))
        return paths
    }

    func run() throws {
        var options = MaskImport.Options()
        values.apply(to: &options)
        options.format = format
        options.orientation = folder.orientation
        options.reading = try folder.reading()
        if FileTree.kind(of: dataset) != .folder { options.reading.orientation = .ignore }
        options.masks = masks
        options.masksLayout = masksLayout
        options.rows = rows
        options.ids = ids
        options.flags = flags
        options.boxes = boxes
        options.categories = category
        options.minimumArea = minArea
        options.maximumArea = maxArea
        options.isStrict = isStrict
        options.onError = onError
        options.force = output.force
        if let threadCount = threads.jobs { options.threadCount = threadCount }
        let line = ProgressLine()
        let summary = try MaskImport(
            source: source, dataset: dataset, output: output.output, options: options
        ).run { line.show("masks", done: $0, of: $1) }
        line.clear()
        MaskImportReport(summary: summary).print(as: report)
    }
}
