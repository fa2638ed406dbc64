internal import RRDatasets
internal import RRFormats
internal import RRSchemas

extension ImageFolderOptions {
    /// Takes how a folder is read.
    ///
    /// - Throws: `DatasetError` with the code `invalidOption` where an option is wrong or contradicts another.
    init(_ reader: inout OptionReader) throws {
        self.init()
        let listed = ["metadata", "columns", "split_values"].filter(reader.has)
        labels = try reader.choice("labels", of: Labels.self) ?? .folders
        if labels == .none, let name = listed.first {
            throw ArgumentError.wrong("\(name) goes with labels, and there are to be none")
        }
        try reader.parsed("columns", "text as file=NAME,label=NAME", ImageListColumnNames.init)?.apply(
            to: &list)
        list.path = try reader.text("metadata")
        list.splitNames =
            try reader.parsed("split_values", "text as train=0,val=1,test=2", SplitValues.init)?.names ?? [:]
        if reader.has("splits"), reader.has("no_splits") {
            throw ArgumentError.wrong("splits and no_splits exclude each other")
        }
        let named = try reader.parsed("splits", "text as train=Training,test=Testing", SplitFolders.init)
        splits = try reader.flag("no_splits") ?? false ? .none : named ?? .byName
        masksAmongImages = try reader.flag("masks_among_images")
        trustsLinks = try reader.flag("trust_links") ?? false
        color = try reader.choice("color", of: Color.self) ?? .auto
        depth = try reader.take("depth", "8 or 16") { $0.integerValue.flatMap(Depth.init(rawValue:)) }
        orientation = try reader.choice("orientation", of: Orientation.self) ?? .ignore
        completesFiles =
            try reader.take("truncated", "refuse or complete") {
                ["refuse": false, "complete": true][$0.stringValue ?? ""]
            } ?? false
        let size = try reader.parsed("size", "text as 224x224, height and width", ImageSize.init)
        let fit = try reader.choice("fit", of: Resizing.Fit.self)
        if fit != nil, size == nil { throw ArgumentError.wrong("fit goes with size") }
        resizing = try size.map {
            try Resizing(height: $0.height, width: $0.width, fit: fit ?? .stretch)
        }
        let background = try reader.parsed(
            "background", "text of six hexadecimal digits", RGBColor.init(hexadecimal:))
        if background != nil, fit != .pad, color != .gray, color != .rgb {
            throw ArgumentError.wrong("background goes with the fit pad, and the color gray or rgb")
        }
        self.background = background ?? .black
    }
}
