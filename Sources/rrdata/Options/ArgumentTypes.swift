public import ArgumentParser
public import RRDatasets
public import RRExplanation
public import RRPreparation
public import RRReports
public import RRStreaming
public import RRTensor
public import RRTraining

// The types of the library that options take by name.

extension EmptyMasks: ExpressibleByArgument {}
extension SampleChoice.Order: ExpressibleByArgument {}
extension TerminalImage: ExpressibleByArgument {}
extension BoxForm: ExpressibleByArgument {}
extension MaskSourceKind: ExpressibleByArgument {}
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
    public init?(argument: String) { self.init(argument) }
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
extension AttributionOptions: ExpressibleByArgument {
    static var grammar: String {
        Method.allCases.map { $0.hasLayer ? "\($0.rawValue)[:LAYER]" : $0.rawValue }.joined(separator: ", ")
    }

    public init?(argument: String) { self.init(argument) }
}
extension CounterexampleOptions.Fill: ExpressibleByArgument {}
extension CounterexampleOptions.Place: ExpressibleByArgument {}
extension SwapPlace: ExpressibleByArgument {}
extension Precision: ExpressibleByArgument {}
extension ScheduleOptions.Kind: ExpressibleByArgument {}
extension ValidationMetric: ExpressibleByArgument {}

extension ClassWeights: ExpressibleByArgument {
    public init?(argument: String) {
        switch argument {
        case "none": self = .equal
        case "auto": self = .automatic
        case "groups": self = .groups
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

extension ResizeCrop: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

extension Augmentation: ExpressibleByArgument {
    public init?(argument: String) {
        guard let augmentation = try? Augmentation(argument) else { return nil }
        self = augmentation
    }
}

extension SplitFolders: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

extension SplitValues: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

extension ImageListColumnNames: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}
