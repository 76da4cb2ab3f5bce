using System.Reflection;

namespace Tunnel.App.Diagnostics.Page;

/// <summary>A file of the page; all lie in this program.</summary>
/// <param name="Path">In the address.</param>
/// <param name="ContentType">What it is.</param>
/// <param name="Text">Its content.</param>
internal sealed record PageFile(string Path, string ContentType, string Text)
{
    public static readonly IReadOnlyList<PageFile> All =
    [
        new("/", "text/html; charset=utf-8", Load("page.html")),
        new("/page.css", "text/css; charset=utf-8", Load("page.css")),
        new("/page.js", "text/javascript; charset=utf-8", Load("page.js")),
        new("/charts.js", "text/javascript; charset=utf-8", Load("charts.js")),
        new("/tables.js", "text/javascript; charset=utf-8", Load("tables.js")),
        new("/units.js", "text/javascript; charset=utf-8", Load("units.js")),
    ];

    private static string Load(string name)
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"page/{name}")
            ?? throw new InvalidOperationException($"the program lacks {name}");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
