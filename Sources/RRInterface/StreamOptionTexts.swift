internal import RRDatasets
internal import RRFormats
internal import RRSchemas
internal import RRStreaming

/// A stream as a caller describes it.
struct StreamRequest {
    var options: StreamOptions
    let resources: StreamResources
    /// Whether images are given as they are stored.
    let isRaw: Bool

    /// The number of epochs of a stream without a last one.
    private static let endless = Int.max

    /// - Parameter text: the JSON of the options.
    /// - Throws: `DatasetError` with the code `invalidOption` where an option is wrong or is none.
    init(_ text: UnsafePointer<CChar>?) throws {
        var reader = try OptionReader(text)
        guard let batchSize = try reader.integer("batch_size") else {
            throw ArgumentError.wrong("there is no batch_size: the number of samples in a batch")
        }
        options = StreamOptions(batchSize: batchSize)
        options.isShuffled = try reader.flag("shuffle") ?? false
        options.seed =
            try reader.take("seed", "a whole number from 0 to 2⁶⁴ − 1") { value in
                value.integerValue.flatMap { UInt64(exactly: $0) } ?? value.stringValue.flatMap { UInt64($0) }
            } ?? 0
        let epochs = try reader.integer("epochs") ?? 1
        options.epochs = epochs == 0 ? Self.endless : epochs
        options.split = try reader.text("split")
        options.dropsLast = try reader.flag("drop_last") ?? false
        options.rank = try reader.integer("rank") ?? 0
        options.world = try reader.integer("world") ?? 1
        options.balance = try reader.parsed("balance", "equal, groups, or weights with commas between them") {
            ClassBalance($0)
        }
        options.annotatedOnly = try reader.flag("annotated_only") ?? false
        options.annotatedFraction = try reader.number("annotated_fraction")
        options.ids = try reader.take("ids", "a list of texts") { value in
            guard let items = value.arrayValue else { return nil }
            let ids = items.compactMap(\.stringValue)
            return ids.count == items.count && !ids.isEmpty ? ids : nil
        }
        options.augmentation = try reader.text("augment").map { try Augmentation($0) }
        options.resizeCrop = try reader.parsed("resize_crop", "a side and what is cut out of it, as 256:224")
        {
            ResizeCrop($0)
        }
        isRaw = try reader.flag("raw") ?? false
        let memory = try reader.take("memory", "a number of bytes from 1 on") { value in
            value.integerValue.flatMap { $0 >= 1 ? $0 : nil }
        }
        let jobs = try reader.take("jobs", "a number of threads from 1 on") { value in
            value.integerValue.flatMap { $0 >= 1 ? $0 : nil }
        }
        resources = StreamResources(memory: memory, threadCount: jobs)
        try reader.finish()
    }
}
