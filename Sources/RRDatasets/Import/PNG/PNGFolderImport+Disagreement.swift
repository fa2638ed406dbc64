internal import RRFormats

extension PNGFolderImport {
    /// The error for files that differ, with a few files of each kind and the options that bring them together.
    func disagreement(of files: PNGFileList, _ conversion: PNGConversion) -> DatasetError {
        var kinds: [PNGHeader: (count: Int, files: [String])] = [:]
        for file in files.paths {
            guard let header = try? Self.header(of: folder + "/" + file) else { continue }
            kinds[header, default: (0, [])].count += 1
            if kinds[header, default: (0, [])].files.count < 3 {
                kinds[header, default: (0, [])].files.append(file)
            }
        }
        let sorted = kinds.sorted {
            ($0.value.count, $1.key.description) > ($1.value.count, $0.key.description)
        }
        var lines = sorted.prefix(6).map { header, kind in
            let more = kind.count > kind.files.count ? ", …" : ""
            return "\n  \(header): \(kind.count) (\(kind.files.joined(separator: ", "))\(more))"
        }
        if sorted.count > 6 { lines.append("\n  and \(sorted.count - 6) more kinds") }
        let remedies = Self.remedies(Array(kinds.keys), options)
        return DatasetError(
            .inconsistentImages, path: folder,
            "the images differ in size or colour:\(lines.joined())\n\(remedies.joined(separator: "; "))")
    }

    private static func remedies(_ headers: [PNGHeader], _ options: Options) -> [String] {
        var remedies: [String] = []
        if options.resizing == nil, Set(headers.map { [$0.height, $0.width] }).count > 1 {
            remedies.append("--size HEIGHTxWIDTH brings all to one size")
        }
        if options.color == .auto, Set(headers.map(\.channels)).count > 1 {
            remedies.append("--color gray, rgb, rgba or gray-alpha brings all to one colour type")
        }
        if options.depth == nil, Set(headers.map(\.bitDepth)).count > 1 {
            remedies.append("--depth 8 or 16 brings all to one depth")
        }
        return remedies
    }
}
