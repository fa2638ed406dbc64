package import RRFormats
package import RRNetworks

/// A network's parameters as a safetensors file that PyTorch loads by the same names, or read from any file of weights.
package enum WeightsFile {
    /// Reads the parameters of a layout, converting from any float type.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - tensors: those of the file that are meant, where they are read already; nil for those that are the layout's.
    ///   - prefix: what each tensor's name begins with before the parameter's.
    ///   - layout: the parameters.
    /// - Throws: `FormatError` where the file cannot be read or its tensors are not the layout's.
    package static func read<Scalar: NetworkScalar>(
        _ path: String, tensors: [SafeTensor]? = nil, droppingPrefix prefix: String = "",
        layout: ParameterLayout, as _: Scalar.Type
    ) throws(FormatError) -> Parameters<Scalar> {
        let read: [SafeTensor]
        if let tensors {
            read = tensors
        } else {
            let dicts = try StateDictFile.read(path)
            let match = try WeightsMatch(dicts, path: path, layout: layout)
            read = try match.tensors(dicts)
        }
        var shapes: [String: [Int]] = [:]
        var values: [String: [Scalar]] = [:]
        for tensor in read {
            let name = String(tensor.name.dropFirst(prefix.count))
            shapes[name] = tensor.shape
            do throws(FormatError) {
                values[name] = try tensor.values(as: Scalar.self)
            } catch {
                throw FormatError(error.code, path: "\(path):\(tensor.name)", error.message)
            }
        }
        do throws(NetworkError) {
            try layout.check(shapes)
        } catch {
            throw FormatError(.malformed, path: "\(path):\(error.location)", error.message)
        }
        return Parameters(layout: layout, values: layout.entries.flatMap { values[$0.name] ?? [] })
    }

    /// Reads what a training starts from: the parameters of a file, its head drawn from the seed where it is not taken.
    ///
    /// - Parameter tensors: those of the file, where they are read already.
    /// - Throws: as `read(_:tensors:droppingPrefix:layout:as:)`.
    package static func readInitial<Scalar: NetworkScalar>(
        _ path: String, tensors: [SafeTensor]? = nil, of network: Network<Scalar>, head: HeadChoice?,
        seed: UInt64
    ) throws(FormatError) -> Parameters<Scalar> {
        let layout = network.parameterLayout
        let dicts: [StateDict]
        if let tensors { dicts = [StateDict(tensors)] } else { dicts = try StateDictFile.read(path) }
        let match = try WeightsMatch(dicts, path: path, layout: layout, head: .some(head))
        var read = try match.tensors(dicts)
        if !match.drawn.isEmpty {
            let fresh = network.layerParameters(seed: seed)
            read += self.tensors(fresh).filter { match.drawn.contains($0.name) }
        }
        return try self.read(path, tensors: read, layout: layout, as: Scalar.self)
    }

    /// Writes parameters as F32 or F64, as they were computed.
    ///
    /// - Throws: `FormatError` where the file cannot be written.
    package static func write<Scalar: NetworkScalar>(
        _ parameters: Parameters<Scalar>, to path: String
    ) throws(FormatError) {
        try SafeTensorsFile.write(tensors(parameters), to: path)
    }

    /// The tensors of parameters, each with its name after a prefix.
    static func tensors<Scalar: NetworkScalar>(
        _ parameters: Parameters<Scalar>, prefix: String = ""
    ) -> [SafeTensor] {
        parameters.layout.entries.map { entry in
            let name = prefix + entry.name
            let values = parameters.values(of: entry)
            return if Scalar.self == Double.self {
                SafeTensor(name: name, shape: entry.shape, values: values.map { Double($0) })
            } else {
                SafeTensor(name: name, shape: entry.shape, values: values.map { Float($0) })
            }
        }
    }
}

/// Which tensors of a file of weights are a network's parameters.
///
/// Wrappers of PyTorch put their own names before the network's (`module.0.weight`), and a checkpoint holds the weights
/// beside other things. The one reading is taken under which the names and shapes are those of the network.
package struct WeightsMatch {
    /// What was chosen or dropped on the way from the file to the network.
    package let notes: [Message]

    /// Which of the file's dictionaries holds the parameters.
    private let position: Int
    /// What the network calls each tensor of it; nil for one that no computation uses.
    private let names: [String?]
    /// The shapes of the parameters as the network has them, by their names.
    private let shapes: [String: [Int]]
    /// What timm's normalisations do otherwise; nil for the weights of another's.
    private let normalization: TimmNormalization?

    /// The parameters of the head that are not taken from the file, by their names.
    let drawn: Set<String>

    /// Finds a network's parameters in a file.
    ///
    /// - Throws: `FormatError` where the file cannot be read or is no file of weights, and as `init(_:path:layout:head:)`.
    package init(path: String, layout: ParameterLayout, head: HeadChoice?? = nil) throws(FormatError) {
        try self.init(StateDictFile.read(path), path: path, layout: layout, head: head)
    }

    /// Finds a network's parameters among the dictionaries of a file, by names and shapes.
    ///
    /// - Parameters:
    ///   - path: what errors and notes call the file.
    ///   - head: what becomes of the head, nil inside for what fits; nil where nothing may be drawn anew.
    /// - Throws: `FormatError` with the code `malformed` where the file does not hold the network's parameters and nothing
    ///   else; `unsupported` where it holds them twice.
    init(
        _ dicts: [StateDict], path: String, layout: ParameterLayout, head: HeadChoice?? = nil
    ) throws(FormatError) {
        let headNames = Set(layout.entries.filter { layout.head.contains($0.range.lowerBound) }.map(\.name))
        // A network that is all head has nothing to keep.
        let mayDraw = head.map { $0 != .keep } == true && headNames.count < layout.entries.count
        var exempt: Set<String> = head == .some(.new) && mayDraw ? headNames : []
        var named = dicts.map { WeightNames($0.entries.map(\.name), layout: layout) }
        var fitting = Self.fitting(named, dicts, layout, exempt: exempt)
        if fitting.isEmpty, mayDraw {
            let lenient = dicts.map {
                WeightNames($0.entries.map(\.name), layout: layout, hasHead: false)
            }
            fitting = Self.fitting(lenient, dicts, layout, exempt: headNames)
            if !fitting.isEmpty { (named, exempt) = (lenient, headNames) }
        }
        guard fitting.count < 2 else {
            let places = fitting.map { Self.words(for: dicts[$0].place) }.joined(separator: " and at ")
            throw FormatError(
                .unsupported, path: path,
                "weights of this model stand at \(places)"
                    + StateDictFile.choosing(dicts[fitting[0]], in: path))
        }
        guard let position = fitting.first ?? dicts.indices.first else {
            throw FormatError(.malformed, path: path, "the file holds no tensors")
        }
        let (dict, names) = (dicts[position], named[position])
        do throws(NetworkError) {
            try names.check(dict.entries.map(\.shape), layout: layout, exempt: exempt)
        } catch {
            let other = dicts.dropFirst().map { Self.words(for: $0.place) }.joined(separator: ", ")
            throw FormatError(
                .malformed, path: "\(path):\(error.location)",
                error.message + (other.isEmpty ? "" : "; nor do those at \(other) fit"))
        }
        drawn = exempt
        self.position = position
        shapes = Dictionary(uniqueKeysWithValues: layout.entries.map { ($0.name, $0.shape) })
        self.names = names.network.map { layout.ignores($0) || exempt.contains($0) ? nil : $0 }
        var notes: [Message] = []
        if !dict.place.isEmpty {
            notes.append("the weights are those at \(Self.words(for: dict.place)) of \(path)")
        }
        if !dict.others.isEmpty {
            notes.append("\(path) holds besides, and is not read: \(Self.list(dict.others))")
        }
        if let dropped = names.dropped { notes.append("\(dropped) in the names of \(path) is dropped") }
        normalization = names.isFromTimm ? TimmNormalization(layout) : nil
        if let normalization {
            notes.append("the names of \(path) are timm's")
            if !normalization.isSame {
                notes.append(
                    "the weights of its normalisations are scaled, so that the network computes what timm's does, whose "
                        + "normalisations add another number to their variances")
            }
        }
        if let note = Self.note(onHead: exempt, dict, names, layout, path) { notes.append(note) }
        self.notes = notes
    }

    /// Reads the parameters from the dictionaries that they were found in, without those of `drawn`.
    ///
    /// - Throws: `FormatError` where the file cannot be read, or has other than floating-point numbers.
    func tensors(_ dicts: [StateDict]) throws(FormatError) -> [SafeTensor] {
        let tensors = try dicts[position].tensors(named: names, shapes: shapes)
        return try normalization?.applied(to: tensors) ?? tensors
    }

    /// The positions of the dictionaries that hold the network's parameters.
    private static func fitting(
        _ named: [WeightNames], _ dicts: [StateDict], _ layout: ParameterLayout, exempt: Set<String>
    ) -> [Int] {
        dicts.indices.filter {
            let shapes = dicts[$0].entries.map(\.shape)
            return (try? named[$0].check(shapes, layout: layout, exempt: exempt)) != nil
        }
    }

    /// Says why the head is not the file's.
    private static func note(
        onHead drawn: Set<String>, _ dict: StateDict, _ names: WeightNames, _ layout: ParameterLayout,
        _ path: String
    ) -> Message? {
        guard let entry = layout.entries.first(where: { drawn.contains($0.name) }) else { return nil }
        let layer = entry.name.split(separator: ".").dropLast().joined(separator: ".")
        let stored = names.network.firstIndex(of: entry.name).map { dict.entries[$0].shape }
        let count = entry.shape.first ?? 0
        let reason: Message =
            switch stored {
            case nil: "\(path) has none"
            case entry.shape?: "\(option: .head) new asks for it"
            case let stored?:
                "that of \(path) has the shape (\(stored.map(String.init).joined(separator: ", "))), and the "
                    + "model has \(count) classes"
            }
        return "the head, \(layer), is drawn anew, for \(reason)"
    }

    private static func words(for place: [String]) -> String {
        place.isEmpty ? "the top" : place.map { "“\($0)”" }.joined(separator: ", ")
    }

    private static func list(_ names: [String]) -> String {
        names.prefix(10).joined(separator: ", ") + (names.count > 10 ? " and \(names.count - 10) more" : "")
    }
}
