public import ArgumentParser
public import RRDatasets
public import RRExplanation
public import RRPreparation
public import RRStreaming
public import RRTensor
public import RRTraining

// The types of the library that options take by name.

extension EmptyMasks: ExpressibleByArgument {}
extension BoxForm: ExpressibleByArgument {}
extension MaskMarks: ExpressibleByArgument {}
extension MaskImport.DrawnOn: ExpressibleByArgument {}
extension ArrayExport.Layout: ExpressibleByArgument {}
extension ArrayLayout: ExpressibleByArgument {}
extension Compression: ExpressibleByArgument {}
extension OptimizationOptions.Optimizer: ExpressibleByArgument {}
extension ImageFolderOptions.Color: ExpressibleByArgument {}
extension ImageFolderOptions.Depth: ExpressibleByArgument {}
extension PNGFolderImport.ErrorPolicy: ExpressibleByArgument {}
extension ImageFolderOptions.Labels: ExpressibleByArgument {}
extension ImageFolderOptions.Orientation: ExpressibleByArgument {}
extension ImageSize: ExpressibleByArgument {
    /// `HEIGHTxWIDTH`
    public init?(argument: String) {
        let parts = argument.split(separator: "x", omittingEmptySubsequences: false)
        guard parts.count == 2, let height = Int(parts[0]), let width = Int(parts[1]),
            1...1_000_000 ~= height, 1...1_000_000 ~= width
        else { return nil }
        self.init(height: height, width: width)
    }
}

extension NormalizationChoice: ExpressibleByArgument {
    public init?(argument: String) {
        switch argument {
        case "none": self = .none
        case "auto": self = .automatic
        case "imagenet": self = .fixed(.imageNet)
        default:
            let numbers = argument.split(separator: ",").map { Float($0) }
            let known = numbers.compactMap { $0 }
            guard known.count == numbers.count, known.count % 2 == 0,
                let normalization = try? InputNormalization(
                    means: Array(known.prefix(known.count / 2)),
                    standardDeviations: Array(known.suffix(known.count / 2)))
            else { return nil }
            self = .fixed(normalization)
        }
    }

    public var defaultValueDescription: String { "none" }
}

extension RGBColor: ExpressibleByArgument {
    public init?(argument: String) { self.init(hexadecimal: argument) }
}

extension Resizing.Fit: ExpressibleByArgument {}
extension PenaltyReduction: ExpressibleByArgument {}
extension HeadChoice: ExpressibleByArgument {}
extension PenaltyTarget: ExpressibleByArgument {}
extension Precision: ExpressibleByArgument {}
extension ScheduleOptions.Kind: ExpressibleByArgument {}
extension ValidationMetric: ExpressibleByArgument {}

extension ClassWeights: ExpressibleByArgument {
    public init?(argument: String) {
        switch argument {
        case "none": self = .equal
        case "auto": self = .automatic
        default:
            let numbers = argument.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
            let known = numbers.compactMap { $0 }
            guard known.count == numbers.count else { return nil }
            self = .fixed(known)
        }
    }

    public var defaultValueDescription: String { "none" }
}

extension Lambda1: ExpressibleByArgument {
    public init?(argument: String) {
        if argument == "auto" {
            self = .automatic
        } else if let value = Double(argument) {
            self = .value(value)
        } else {
            return nil
        }
    }

    public var defaultValueDescription: String {
        switch self {
        case .value(let value): Figure.text(value)
        case .automatic: "auto"
        }
    }
}

extension ImageShape: ExpressibleByArgument {
    /// `3x32x32`, or `28x28` for one channel.
    public init?(argument: String) {
        let extents = argument.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
        let known = extents.compactMap { $0 }
        guard known.count == extents.count, 2...3 ~= known.count, known.allSatisfy({ $0 > 0 }),
            let shape = try? ImageShape(
                channels: known.count == 3 ? known[0] : 1, height: known[known.count - 2],
                width: known[known.count - 1])
        else { return nil }
        self = shape
    }
}

extension ClassBalance: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

extension Augmentation: ExpressibleByArgument {
    public init?(argument: String) {
        guard let augmentation = try? Augmentation(argument) else { return nil }
        self = augmentation
    }
}

/// `what=value` pairs with commas between them, in order; nil for anything else.
private func pairs(in argument: String) -> [(name: String, value: String)]? {
    let pairs = argument.split(separator: ",", omittingEmptySubsequences: false).map { part in
        part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    }
    guard pairs.allSatisfy({ $0.count == 2 && !$0[0].isEmpty && !$0[1].isEmpty }) else { return nil }
    return pairs.map { (String($0[0]), String($0[1])) }
}

extension SplitFolders: ExpressibleByArgument {
    /// `train=Training,test=Testing`
    public init?(argument: String) {
        guard let pairs = pairs(in: argument), Set(pairs.map(\.value)).count == pairs.count else {
            return nil
        }
        self = .named(pairs.map { Named(split: $0.name, folder: $0.value) })
    }
}

/// The values of a list's column that stand for splits: `train=0,val=1,test=2`.
struct SplitValues: ExpressibleByArgument {
    /// The split of each value.
    let names: [String: String]

    init?(argument: String) {
        guard let pairs = pairs(in: argument), Set(pairs.map(\.value)).count == pairs.count else {
            return nil
        }
        names = Dictionary(uniqueKeysWithValues: pairs.map { ($0.value, $0.name) })
    }
}

/// What the columns of a list are called: `file=img_filename,label=y,group=y+place`.
struct ImageListColumnNames: ExpressibleByArgument {
    private let columns: [String: [String]]

    init?(argument: String) {
        guard let pairs = pairs(in: argument), Set(pairs.map(\.name)).count == pairs.count else { return nil }
        columns = Dictionary(
            uniqueKeysWithValues: pairs.map { ($0.name, $0.value.split(separator: "+").map(String.init)) })
        let isSound = columns.allSatisfy { name, columns in
            switch name {
            case "file", "split", "mask": columns.count == 1
            case "label", "group": !columns.isEmpty
            default: false
            }
        }
        guard isSound else { return nil }
    }

    func apply(to options: inout ImageListOptions) {
        options.fileName = columns["file"]?.first ?? options.fileName
        options.label = columns["label"]
        options.split = columns["split"]?.first
        options.group = columns["group"]
        options.maskFileName = columns["mask"]?.first
    }
}
