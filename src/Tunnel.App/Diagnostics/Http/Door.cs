using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.Extensions.Primitives;
using Tunnel.App.Config;

namespace Tunnel.App.Diagnostics.Http;

/// <summary>
/// Who may come in. Without a token the server listens on loopback only, where web pages that the user has open could reach it under a
/// name of theirs: hence no names but localhost. With a token whoever presents it may.
/// </summary>
internal sealed class Door(Secret? token)
{
    private const string CookiePrefix = "tunnel-debug-";
    private const string Bearer = "Bearer ";

    private static readonly string[] OpenPaths = ["/healthz", "/readyz"];

    public async Task EnterAsync(HttpContext context, RequestDelegate next)
    {
        Harden(context.Response.Headers);
        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
            await RefuseAsync(context, HttpStatusCode.MethodNotAllowed, "Only GET and HEAD.").ConfigureAwait(false);
        else if (token is null && !IsOwnName(context.Request.Host.Host))
            await RefuseAsync(context, HttpStatusCode.MisdirectedRequest, "Use an IP address or localhost, or set debug.token.").ConfigureAwait(false);
        else if (IsForeignPage(context.Request.Headers))
            await RefuseAsync(context, HttpStatusCode.Forbidden, "Not for other sites' pages.").ConfigureAwait(false);
        else if (token is null || OpenPaths.Contains(context.Request.Path.Value) || Knows(context.Request))
            await next(context).ConfigureAwait(false);
        else if (context.Request.Query.TryGetValue("token", out StringValues presented) && IsToken(presented))
            LetIn(context);
        else
            await AskAsync(context).ConfigureAwait(false);
    }

    /// <summary>Nothing of this belongs in another page, a cache or a guess.</summary>
    private static void Harden(IHeaderDictionary headers)
    {
        headers.ContentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
            + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
        headers.XContentTypeOptions = "nosniff";
        headers.CacheControl = "no-store";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
    }

    private static bool IsOwnName(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || IPAddress.TryParse(host.Trim('[', ']'), out _);

    /// <summary>A page of another site asks, which cannot read the answer but could make this process work for it: a frame of it, too, which is a navigation.</summary>
    private static bool IsForeignPage(IHeaderDictionary headers) =>
        headers["Sec-Fetch-Site"] == "cross-site" && (headers["Sec-Fetch-Mode"] != "navigate" || headers["Sec-Fetch-Dest"] != "document");

    private bool Knows(HttpRequest request)
    {
        string authorization = request.Headers.Authorization.ToString();
        if (authorization.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
            return IsToken(authorization[Bearer.Length..].Trim());
        return request.Cookies.TryGetValue(CookieName(request), out string? cookie) && cookie is not null && AreEqual(cookie, Proof());
    }

    /// <summary>A browser cannot be told to send a header, so it gets a cookie, and an address without the token.</summary>
    private void LetIn(HttpContext context)
    {
        HttpRequest request = context.Request;
        var cookie = new CookieOptions { HttpOnly = true, SameSite = SameSiteMode.Strict, Path = "/" };
        context.Response.Cookies.Append(CookieName(request), Proof(), cookie);
        var rest = new QueryBuilder(request.Query.Where(q => q.Key != "token").SelectMany(q => q.Value, (q, v) => KeyValuePair.Create(q.Key, v ?? "")));
        // Here and nowhere else: //name would be another host.
        var path = new PathString("/" + request.Path.Value!.TrimStart('/', '\\'));
        context.Response.Redirect(path.ToUriComponent() + rest.ToQueryString());
    }

    private static Task AskAsync(HttpContext context)
    {
        context.Response.Headers.WWWAuthenticate = "Bearer";
        return RefuseAsync(
            context, HttpStatusCode.Unauthorized, "Present debug.token: \"Authorization: Bearer TOKEN\", or once ?token=TOKEN in a browser.");
    }

    private static Task RefuseAsync(HttpContext context, HttpStatusCode code, string why)
    {
        context.Response.StatusCode = (int)code;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(why + "\n", context.RequestAborted);
    }

    /// <summary>Cookies do not tell ports apart.</summary>
    private static string CookieName(HttpRequest request) => CookiePrefix + request.HttpContext.Connection.LocalPort;

    /// <summary>That somebody knew the token, without being it.</summary>
    private string Proof() => Convert.ToHexStringLower(
        HMACSHA256.HashData(Encoding.UTF8.GetBytes(token!.Reveal()), "tunnel debug cookie"u8));

    private bool IsToken(string? text) => text is not null && new Secret(text).Equals(token);

    private static bool AreEqual(string a, string b) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(a), Encoding.UTF8.GetBytes(b));
}
