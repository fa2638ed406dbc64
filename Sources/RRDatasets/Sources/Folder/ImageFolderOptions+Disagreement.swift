internal import RRFormats

extension ImageFolderOptions {
    /// The error for files that differ: the first that does, a few files of each kind, and the options that bring them
    /// together.
    package func disagreement(
        of files: PNGFileList, in folder: String, _ conversion: PNGConversion
    ) -> DatasetError {
        var kinds: [PNGHeader: (count: Int, files: [String])] = [:]
        var firstOther: String?
        let headers = PNGHeaderReader(folder: folder)
        for position in files.paths.indices {
            guard let header = try? headers.read(position, of: files).header else { continue }
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
        var lines = sorted.prefix(6).map { header, kind in
            let more = kind.count > kind.files.count ? ", …" : ""
            return "\n  \(header): \(kind.count) (\(kind.files.joined(separator: ", "))\(more))"
        }
        if sorted.count > 6 { lines.append("\n  and \(sorted.count - 6) more kinds") }
        let remedies = remedies(for: Array(kinds.keys))
        let first = firstOther.map { ", \($0) from those before it" } ?? ""
        return DatasetError(
            .inconsistentImages, path: folder,
            "the images differ in size or colour\(first):\(lines.joined())\n\(remedies.joined(separator: "; "))"
        )
    }

    private func remedies(for headers: [PNGHeader]) -> [String] {
        var remedies: [String] = []
        if resizing == nil, Set(headers.map { [$0.height, $0.width] }).count > 1 {
            remedies.append("--size HEIGHTxWIDTH brings all to one size")
        }
        if color == .auto, Set(headers.map(\.channels)).count > 1 {
            remedies.append("--color gray, rgb, rgba or gray-alpha brings all to one colour type")
        }
        if depth == nil, Set(headers.map(\.bitDepth)).count > 1 {
            remedies.append("--depth 8 or 16 brings all to one depth")
        }
        return remedies
    }
}
