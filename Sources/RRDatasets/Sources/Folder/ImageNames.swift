package import RRFormats

/// What files of images are called.
package enum ImageNames {
    private static let pngs = [Array(".png".utf8)]
    private static let images = [".png", ".jpg", ".jpeg", ".jpe", ".jfif"].map { Array($0.utf8) }

    /// The bytes of a name without the ending of an image, in letters of either case; nil for a name that has none.
    package static func stemLength(
        of name: UnsafeBufferPointer<UInt8>, _ files: ImageFolderOptions.Files = .images
    ) -> Int? {
        for ending in files == .pngs ? pngs : images where name.count > ending.count {
            let start = name.count - ending.count
            // The dot has the bit of small letters, too.
            if zip(name[start...], ending).allSatisfy({
                $0 | 0x20 == $1 && ($0 == $1 || $1 != UInt8(ascii: "."))
            }) {
                return start
            }
        }
        return nil
    }

    /// A path without the ending of an image.
    package static func stem(of path: String) -> String {
        var path = path
        let length = path.withUTF8 { stemLength(of: $0) ?? $0.count }
        return String(decoding: path.utf8.prefix(length), as: UTF8.self)
    }

    /// The bytes of a name without the ending of an image.
    package static func stem(of name: UnsafeBufferPointer<UInt8>) -> Slice<UnsafeBufferPointer<UInt8>> {
        name.prefix(stemLength(of: name) ?? name.count)
    }

    /// The endings that a name in a list may lack.
    static func endings(_ files: ImageFolderOptions.Files) -> [String] {
        switch files {
        case .pngs: [".png"]
        case .images: [".png", ".jpg", ".jpeg", ".JPG", ".JPEG", ".PNG"]
        }
    }
}

extension ImageFolderOptions.Files {
    package var kinds: ImageDecoder.Kinds { self == .pngs ? .pngs : .pngsAndJPEGs }

    /// `PNG files (names that end in .png)`
    package var description: String {
        switch self {
        case .pngs: "PNG files (names that end in .png)"
        case .images: "image files (names that end in .png, .jpg or .jpeg)"
        }
    }
}
