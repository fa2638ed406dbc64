package import RRFormats

/// How the image files of a folder become images and labels: what an import and a stream of the folder have in common.
public struct ImageFolderOptions: Sendable, Hashable {
    /// Where labels come from.
    public enum Labels: String, Sendable, CaseIterable {
        /// From class folders, or from `metadata.csv` or `metadata.jsonl` where there is one.
        case folders
        /// Samples have no labels.
        case none
    }

    /// The colour type of all images.
    public enum Color: String, Sendable, CaseIterable {
        /// That of the files, which must agree.
        case auto
        /// Colours weighted as in ITU-R BT.601, rounded: `(19,595 R + 38,470 G + 7,471 B + 32,768) >> 16`.
        case gray
        case rgb
        case rgba
        case grayAlpha = "gray-alpha"
    }

    /// The bits of all samples.
    public enum Depth: Int, Sendable, CaseIterable {
        /// 16-bit samples v become `round(v · 255 / 65,535)`.
        case eight = 8
        /// 8-bit samples v become `257 v`.
        case sixteen = 16
    }

    /// What is done about files whose Exif data says that the image is to be turned.
    public enum Orientation: String, Sendable, CaseIterable {
        /// The pixels stay as they are stored, as where Pillow and torchvision read them.
        case ignore
        /// The image is turned, as viewers and OpenCV show it.
        case apply
    }

    /// Which files of a folder are its images. What a file is, its content says.
    public enum Files: Sendable, Hashable {
        /// Those called `.png`, which are PNG files.
        case pngs
        /// Those called `.png`, `.jpg`, `.jpeg`, `.jpe` or `.jfif`, which are PNG or JPEG files.
        case images
    }

    /// Which files are images.
    public var files: ImageFolderOptions.Files = .images
    /// Whether JPEG files that are cut short are filled up with gray, as Pillow does with `LOAD_TRUNCATED_IMAGES`; they are
    /// refused otherwise.
    public var completesFiles = false
    /// Where labels come from.
    public var labels: ImageFolderOptions.Labels = .folders
    /// Of images, and of their masks.
    public var orientation: ImageFolderOptions.Orientation = .ignore
    /// Which list says what the images are, and by which columns.
    public var list = ImageListOptions()
    /// Which folders are splits.
    public var splits: SplitFolders = .byName
    /// Whether files that are called as masks of other files, `x_mask.png` beside `x.png` or `masks/x.png` beside
    /// `images/x.png`, are their masks and no images; nil to refuse a folder that has some.
    public var masksAmongImages: Bool?
    /// Whether symbolic links may lead out of the folder.
    public var trustsLinks = false
    /// An alpha channel is kept with `rgba` and `grayAlpha`, and composited over the background with `rgb` and `gray`.
    public var color: ImageFolderOptions.Color = .auto
    /// Nil for the depth of the files, which must agree.
    public var depth: ImageFolderOptions.Depth?
    /// Nil for the size of the files, which must agree. Channels are resized one by one, after the colour type and
    /// before the depth is changed.
    public var resizing: Resizing?
    /// What lies behind transparent pixels and around padded images.
    public var background: RGBColor = .black

    public init() {}

    /// The error for a file without an image.
    package static func unreadable(_ error: FormatError) -> any Error {
        switch error.code {
        case .malformed, .unsupported: DatasetError(.unreadableImage, path: error.path, error.message)
        default: error
        }
    }
}

// Files that differ.
extension ImageFolderOptions {
    /// The error for files that differ: the first that does, a few files of each kind, and the options that bring them
    /// together.
    package func disagreement(
        of files: PNGFileList, in folder: String, _ conversion: PNGConversion
    ) -> DatasetError {
        var kinds: [PNGHeader: (count: Int, files: [String])] = [:]
        var firstOther: String?
        let reader = PNGFileReader(folder: folder, self.files)
        for position in files.paths.indices {
            guard let header = try? reader.header(of: position, in: files.paths, orientation).header else {
                continue
            }
            let file = files.paths[position]
            if firstOther == nil, !conversion.serves(header) { firstOther = file }
            kinds[header, default: (0, [])].count += 1
            if kinds[header, default: (0, [])].files.count < 3 {
                kinds[header, default: (0, [])].files.append(file)
            }
        }
        let sorted = kinds.sorted {
            ($0.value.count, $1.key.description) > ($1.value.count, $0.key.description)
        }
        var lines: [Message] = sorted.prefix(6).map { header, kind in
            let more = kind.count > kind.files.count ? ", …" : ""
            return "\n  \(header): \(kind.count) (\(kind.files.joined(separator: ", "))\(more))"
        }
        if sorted.count > 6 { lines.append("\n  and \(sorted.count - 6) more kinds") }
        let first: Message = firstOther.map { ", \($0) from those before it" } ?? ""
        let list = lines.reduce("") { "\($0)\($1)" as Message }
        return DatasetError(
            .inconsistentImages, path: folder,
            "the images differ in size or colour\(first):\(list)\n\(remedies(for: Array(kinds.keys)))"
                as Message)
    }

    /// The options that bring images of several kinds together.
    private func remedies(for headers: [PNGHeader]) -> Message {
        var remedies: [Message] = []
        if resizing == nil, Set(headers.map { [$0.height, $0.width] }).count > 1 {
            remedies.append(
                "\(option: .resizing) HEIGHTxWIDTH brings all to one size: 224x224, as networks of photographs take them, say"
            )
        }
        if color == .auto, Set(headers.map(\.channels)).count > 1 {
            remedies.append("\(option: .color) gray, rgb, rgba or gray-alpha brings all to one colour type")
        }
        if depth == nil, Set(headers.map(\.bitDepth)).count > 1 {
            remedies.append("\(option: .depth) 8 or 16 brings all to one depth")
        }
        return remedies.dropFirst().reduce(remedies.first ?? "") { "\($0); \($1)" }
    }
}

/// A colour of three 8-bit samples.
public struct RGBColor: Hashable, Sendable {
    public let red: UInt8
    public let green: UInt8
    public let blue: UInt8

    public static let black = RGBColor(red: 0, green: 0, blue: 0)

    public init(red: UInt8, green: UInt8, blue: UInt8) {
        self.red = red
        self.green = green
        self.blue = blue
    }

    /// Reads six hexadecimal digits, `RRGGBB`, with or without a `#` before them; nil for anything else.
    public init?(hexadecimal text: String) {
        let digits = text.hasPrefix("#") ? text.dropFirst() : text[...]
        guard digits.utf8.count == 6, digits.allSatisfy(\.isHexDigit), let number = UInt32(digits, radix: 16)
        else { return nil }
        self.init(
            red: UInt8(number >> 16), green: UInt8(number >> 8 & 255), blue: UInt8(number & 255))
    }

    /// `FF8000`
    public var hexadecimal: String {
        [red, green, blue].map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }.joined()
    }
}

extension OptionName {
    package static let orientation = OptionName("orientation")
    static let color = OptionName("color")
    static let depth = OptionName("depth")
    static let labels = OptionName("labels")
    static let resizing = OptionName("resizing")
}

extension OperationName {
    static let importArrays = OperationName("ArrayImport")
    package static func importFolder(of files: ImageFolderOptions.Files) -> OperationName {
        files == .images ? .importImages : OperationName("ImageFolderImport(.pngs)")
    }
    static let stream = OperationName("BatchStream")
}
